//! A rebalance as text and tables.

use crate::admin::{DiskShare, RebalanceState, RebalanceStatus};
use crate::commands::output::table;
use crate::unit::{format_bytes, format_ms};

/// The state in a sentence or two.
pub(super) fn describe(status: &RebalanceStatus) -> String {
    let bytes = |bytes: u64| format_bytes(bytes as f64);
    let moved = if status.reprotects {
        format!("{} of objects re-encoded in {} shards", bytes(status.moved_bytes), status.moved_shards)
    } else {
        format!("{} shards, {} moved", status.moved_shards, bytes(status.moved_bytes))
    };
    let ended = status.ended_ms.map_or_else(String::new, format_ms);
    match status.state {
        RebalanceState::Never => {
            "nothing was ever rebalanced: `cairn rebalance start --dry-run` says what would move".to_owned()
        }
        RebalanceState::Running if status.reprotects => format!("re-encoding is under way: {moved}"),
        RebalanceState::Reencoded => format!("everything is coded as new objects are since {ended}: {moved}"),
        RebalanceState::Running => {
            let rate = status.bytes_per_s_max.map_or_else(|| "at the cap of repair".to_owned(), at_most);
            let failed =
                if status.failures > 0 { format!(", {} failed and retried", status.failures) } else { String::new() };
            format!(
                "the rebalance is under way {rate}: {moved}, {} to go, {} shards under way{failed}",
                bytes(status.left_bytes),
                status.running
            )
        }
        RebalanceState::Waiting => {
            format!("the rebalance waits for a repair or a drain: {moved}; see `cairn repair status`")
        }
        RebalanceState::Even => format!("every disk holds its share since {ended}: {moved}"),
        RebalanceState::Stopped => format!("the rebalance was stopped at {ended}: {moved}"),
        RebalanceState::Stuck | RebalanceState::Unknown => {
            format!("the rebalance ended at {ended}: {moved}; {}", status.why.as_deref().unwrap_or("not even"))
        }
    }
}

fn at_most(rate: u64) -> String {
    format!("at {} per second at most", format_bytes(rate as f64))
}

/// What would move.
pub(super) fn forecast(status: &RebalanceStatus) -> String {
    let Some(forecast) = &status.forecast else { return describe(status) };
    let mut rows = table(&["disk", "holds", "off its share", "would hold", "off its share"]);
    for now in &status.disks {
        let then = forecast.disks.iter().find(|then| then.number == now.number).unwrap_or(now);
        rows.add_row([
            now.number.to_string(),
            format_bytes(now.bytes as f64),
            off(now),
            format_bytes(then.bytes as f64),
            off(then),
        ]);
    }
    let summary = format!("{} shards, {} would move", forecast.shards, format_bytes(forecast.bytes as f64));
    format!("{summary}\n\n{rows}")
}

/// The disks with their shares.
pub(super) fn shares(disks: &[DiskShare]) -> String {
    let mut rows = table(&["disk", "holds", "share", "off its share"]);
    for disk in disks {
        let (held, share) = (format_bytes(disk.bytes as f64), format_bytes(disk.share_bytes as f64));
        rows.add_row([disk.number.to_string(), held, share, off(disk)]);
    }
    rows.to_string()
}

fn off(disk: &DiskShare) -> String {
    if disk.share_bytes == 0 {
        return String::new();
    }
    let percent = 100.0 * (disk.bytes as f64 - disk.share_bytes as f64) / disk.share_bytes as f64;
    format!("{percent:+.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_says_what_moved_and_what_is_next() {
        let json = r#"{"state":"running","why":null,"started_ms":0,"ended_ms":null,"bytes_per_s_max":1048576,
            "moved_shards":3,"moved_bytes":2097152,"left_bytes":1024,"passes":1,"running":2,"failures":1,
            "disks":[{"number":1,"bytes":1500,"share_bytes":1000},{"number":2,"bytes":500,"share_bytes":1000}],
            "reprotects":false,"forecast":{"shards":5,"bytes":500,"disks":[{"number":1,"bytes":1010,"share_bytes":1000}]}}"#;
        let mut status: RebalanceStatus = serde_json::from_str(json).unwrap();
        let check = |text: &str, parts: &[&str]| {
            for part in parts {
                assert!(text.contains(part), "{part:?} is not in\n{text}");
            }
        };
        check(&describe(&status), &["1.0 MiB per second", "3 shards, 2.0 MiB moved", "1.0 KiB to go", "1 failed"]);
        check(&shares(&status.disks), &["+50.0 %", "-50.0 %"]);
        check(&forecast(&status), &["5 shards, 500 B would move", "+1.0 %", "-50.0 %"]);
        (status.state, status.why) = (RebalanceState::Stuck, Some("disk 7 is small".into()));
        status.ended_ms = Some(1_790_000_000_000);
        check(&describe(&status), &["2026-09-21", "disk 7 is small"]);
    }
}
