//! `cairn cluster status`

use crate::admin::ClusterStatus;
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let status = args.client()?.cluster().await?;
    if args.json { print_json(&status) } else { print(&render(&status)) }
}

fn render(status: &ClusterStatus) -> String {
    let mut summary = table(&["cluster", status.cluster_id.as_str()]);
    let bytes = |bytes: u64| format_bytes(bytes as f64);
    let disks = &status.disks;
    for (name, value) in [
        ("profiles", format!("{} for tiny objects, {} for the others", status.profile.small, status.profile.large)),
        ("map", format!("epoch {}, commit {}", status.epoch, status.commit)),
        ("objects", format!("{} in {} buckets, {}", status.objects, status.buckets, bytes(status.object_bytes))),
        ("uploads", status.uploads.to_string()),
        (
            "disks",
            describe_disks(
                disks.total,
                &[
                    ("active", disks.active),
                    ("full", disks.full),
                    ("suspect", disks.suspect),
                    ("unavailable", disks.unavailable),
                    ("joining", disks.joining),
                    ("quarantined", disks.quarantined),
                    ("draining", disks.draining),
                    ("failed", disks.failed),
                    ("removed", disks.removed),
                ],
            ),
        ),
        ("space", format!("{} of {} used", bytes(status.used_bytes), bytes(status.capacity_bytes))),
        ("to reclaim", status.reclaim_entries.to_string()),
        ("to repair", format!("{} shards", status.repair_entries)),
        ("sessions", status.sessions.to_string()),
    ] {
        summary.add_row([name, value.as_str()]);
    }
    let mut nodes = table(&["node", "state", "heard", "address", "id"]);
    for node in &status.nodes {
        let heard = node.last_heard_ms.map_or_else(|| "never".to_owned(), |ms| format!("{:.1} s ago", ms as f64 / 1e3));
        let address = if node.rpc_addr.is_empty() { "in process" } else { &node.rpc_addr };
        nodes.add_row([node.name.as_str(), node.state.name(), &heard, address, &node.id]);
    }
    format!("{summary}\n\n{nodes}")
}

fn describe_disks(total: u64, states: &[(&str, u64)]) -> String {
    let present = states.iter().filter(|(_, count)| *count > 0).map(|(state, count)| format!("{count} {state}"));
    let present: Vec<String> = present.collect();
    if present.is_empty() { total.to_string() } else { format!("{total}: {}", present.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_only_states_that_occur() {
        assert_eq!(describe_disks(6, &[("active", 5), ("full", 0), ("unavailable", 1)]), "6: 5 active, 1 unavailable");
        assert_eq!(describe_disks(0, &[("active", 0)]), "0");
    }

    #[test]
    fn a_status_is_rendered_whole() {
        let json = r#"{"cluster_id":"c","epoch":3,"commit":9,"buckets":1,"objects":2,"object_bytes":2048,"uploads":0,
            "reclaim_entries":0,"repair_entries":4,"sessions":1,
            "nodes":[{"id":"n","name":"alpha","rpc_addr":"","state":"alive","last_heard_ms":1500}],
            "disks":{"total":6,"active":6,"full":0,"suspect":0,"unavailable":0},
            "profile":{"small":"1+2","large":"4+2"},"capacity_bytes":1073741824,"used_bytes":4096,"later":true}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        for part in ["2 in 1 buckets, 2.0 KiB", "4 shards", "6: 6 active", "4.0 KiB of 1.0 GiB", "alpha", "1.5 s ago"] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
