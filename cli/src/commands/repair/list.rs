//! `cairn repair list`

use crate::admin::QueuedShard;
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let shards: Vec<QueuedShard> = args.client()?.get("/v1/repair/queue").await?;
    if args.json {
        return print_json(&shards);
    }
    let mut rows = table(&["extent", "shard", "disk", "cause"]);
    for shard in &shards {
        let disk = shard.disk.map_or_else(|| "none".to_owned(), |disk| disk.to_string());
        rows.add_row([shard.extent.clone(), shard.shard.to_string(), disk, shard.cause.to_string()]);
    }
    print(&rows.to_string())
}
