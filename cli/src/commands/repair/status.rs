//! `cairn repair status`

use crate::admin::RepairStatus;
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let status = args.client()?.repair().await?;
    if args.json { print_json(&status) } else { print(&render(&status)) }
}

fn render(status: &RepairStatus) -> String {
    let bytes = |bytes: u64| format_bytes(bytes as f64);
    let mut rows = table(&["repair", ""]);
    for (name, value) in [
        ("to do", format!("{} extents, {} to write", status.pending_extents, bytes(status.pending_bytes))),
        ("of them unreadable now", status.lost_extents.to_string()),
        ("of them without a disk to go to", status.without_place_extents.to_string()),
        ("done since the leader took over", format!("{} shards, {}", status.done_shards, bytes(status.done_bytes))),
        ("failed and tried again", status.failures.to_string()),
        ("limit", format!("{} per second", bytes(status.bytes_per_s_limit))),
    ] {
        rows.add_row([name, value.as_str()]);
    }
    let mut text = rows.to_string();
    if !status.held_back.is_empty() {
        text = format!(
            "{text}\n\nATTENTION: {} are silent at once, more than a third of all nodes. The network is more likely cut \
             than all of them lost, so their shards are not rebuilt. Bring them back, or `cairn node drain NAME \
             --force` those that are lost for good",
            status.held_back.join(", ")
        );
    }
    if !status.running.is_empty() {
        let mut running = table(&["extent", "shard", "from", "to", "bytes", "survives"]);
        for rebuild in &status.running {
            running.add_row([
                rebuild.extent.clone(),
                rebuild.shard.to_string(),
                rebuild.from_disk.map_or_else(|| "nowhere".to_owned(), |disk| format!("disk {disk}")),
                format!("disk {}", rebuild.to_disk),
                bytes(rebuild.bytes),
                format!("{} losses", rebuild.spare),
            ]);
        }
        text = format!("{text}\n\n{running}");
    }
    text
}
