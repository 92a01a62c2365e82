//! `cairn node show`

use clap::Args;
use serde::Serialize;

use crate::admin::{DiskEntry, NodeEntry};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Show one node with its disks.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The node's name, as `cairn node list` shows it.
    node: String,
    #[command(flatten)]
    admin: AdminArgs,
}

/// A node and its disks.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    node: NodeEntry,
    disks: Vec<DiskEntry>,
}

pub(super) async fn run(args: &ShowArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let (nodes, mut disks) = (client.cluster().await?.nodes, client.disks().await?);
    let Some(node) = nodes.into_iter().find(|node| node.name == args.node) else {
        return Err(CommandError::NoSuchNode(args.node.clone()));
    };
    disks.retain(|disk| disk.node == node.name);
    let shown = Shown { node, disks };
    if args.admin.json { print_json(&shown) } else { print(&render(&shown)) }
}

fn render(shown: &Shown) -> String {
    let Shown { node, disks } = shown;
    let or = |text: &str, empty: &str| if text.is_empty() { empty.to_owned() } else { text.to_owned() };
    let mut rows = table(&["node", &node.name]);
    for (name, value) in [
        ("id", node.id.clone()),
        ("state", node.state.to_string()),
        ("address", or(&node.rpc_addr, "in process")),
        ("zone", or(&node.zone, "none")),
        ("rack", or(&node.rack, "none")),
        ("last heard of", node.last_heard_ms.map_or_else(|| "not yet".to_owned(), |ms| format!("{ms} ms ago"))),
        ("shards", disks.iter().map(|disk| disk.shards).sum::<u64>().to_string()),
    ] {
        rows.add_row([name, &value]);
    }
    let mut table = table(&["disk", "state", "used", "capacity", "shards", "path"]);
    for disk in disks {
        table.add_row([
            disk.number.to_string(),
            disk.state.to_string(),
            format_bytes(disk.used_bytes as f64),
            format_bytes(disk.capacity_bytes as f64),
            disk.shards.to_string(),
            disk.path.clone(),
        ]);
    }
    format!("{rows}\n\n{table}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{DiskState, NodeState};

    #[test]
    fn labels_and_disks_are_shown() {
        let node = NodeEntry {
            id: "i".into(),
            name: "n1".into(),
            rpc_addr: String::new(),
            zone: "east".into(),
            rack: String::new(),
            state: NodeState::Up,
            last_heard_ms: None,
        };
        let disk = DiskEntry {
            number: 7,
            id: "d".into(),
            node: "n1".into(),
            path: "/mnt/7".into(),
            state: DiskState::Draining,
            reason: None,
            capacity_bytes: 1 << 40,
            used_bytes: 0,
            shards: 9,
        };
        let text = render(&Shown { node, disks: vec![disk] });
        for part in ["n1", "in process", "east", "not yet", "1.0 TiB", "draining", "/mnt/7"] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
