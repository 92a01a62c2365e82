//! `cairn disk list`

use std::fmt::Write as _;

use crate::admin::DiskEntry;
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let disks = args.client()?.disks().await?;
    if args.json { print_json(&disks) } else { print(&render(&disks)) }
}

fn render(disks: &[DiskEntry]) -> String {
    let mut rows = table(&["disk", "node", "state", "used", "capacity", "shards", "path", "id"]);
    for disk in disks {
        let bytes = |bytes: u64| format_bytes(bytes as f64);
        rows.add_row([
            disk.number.to_string(),
            disk.node.clone(),
            disk.state.to_string(),
            bytes(disk.used_bytes),
            bytes(disk.capacity_bytes),
            disk.shards.to_string(),
            disk.path.clone(),
            disk.id.clone(),
        ]);
    }
    let mut text = rows.to_string();
    // Reasons are sentences and do not fit into a column.
    for disk in disks {
        if let Some(reason) = disk.reason.as_deref().filter(|reason| !reason.is_empty()) {
            let _ = write!(text, "\n\ndisk {} is {}: {reason}", disk.number, disk.state);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::DiskState;

    #[test]
    fn reasons_follow_the_table() {
        let disk = |number, state: DiskState, reason: Option<&str>| DiskEntry {
            number,
            id: format!("id{number}"),
            node: "n".into(),
            path: format!("/d/{number}"),
            state,
            reason: reason.map(Into::into),
            capacity_bytes: 1 << 30,
            used_bytes: 0,
            shards: 7,
        };
        let text = render(&[
            disk(1, DiskState::Active, None),
            disk(2, DiskState::Unavailable, Some("/d/2 is missing: mount it")),
        ]);
        assert!(text.ends_with("\n\ndisk 2 is unavailable: /d/2 is missing: mount it"), "{text}");
        assert!(!text.contains("disk 1 is"), "{text}");
    }
}
