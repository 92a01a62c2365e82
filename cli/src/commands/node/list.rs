//! `cairn node list`

use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let mut client = args.client()?;
    let (nodes, disks) = (client.cluster().await?.nodes, client.disks().await?);
    if args.json {
        return print_json(&nodes);
    }
    let mut rows = table(&["node", "state", "disks", "used", "capacity", "address", "id"]);
    for node in nodes {
        let own: Vec<_> = disks.iter().filter(|disk| disk.node == node.name).collect();
        let bytes = |of: fn(&&crate::admin::DiskEntry) -> u64| format_bytes(own.iter().map(of).sum::<u64>() as f64);
        rows.add_row([
            node.name.clone(),
            node.state.to_string(),
            own.len().to_string(),
            bytes(|disk| disk.used_bytes),
            bytes(|disk| disk.capacity_bytes),
            if node.rpc_addr.is_empty() { "in process".to_owned() } else { node.rpc_addr.clone() },
            node.id.clone(),
        ]);
    }
    print(&rows.to_string())
}
