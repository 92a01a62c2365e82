//! `cairn scrub status`

use std::fmt::Write as _;

use crate::admin::{CycleEntry, ScrubEntry, ScrubProgress};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::{format_bytes, format_ms, format_seconds};

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let disks = args.client()?.scrub_status().await?;
    if args.json { print_json(&disks) } else { print(&render(&disks)) }
}

fn render(disks: &[ScrubEntry]) -> String {
    let mut rows =
        table(&["disk", "node", "cycle", "verified", "shards", "rate", "left", "bad", "last full cycle", "path"]);
    for disk in disks {
        let cells = disk.scrub.as_ref().map_or_else(|| ["unknown"].map(str::to_owned).to_vec(), columns);
        let mut row = vec![disk.number.to_string(), disk.node.clone()];
        row.extend(cells);
        row.resize(9, String::new());
        row.push(disk.path.clone());
        rows.add_row(row);
    }
    let mut text = rows.to_string();
    for disk in disks {
        let Some(scrub) = &disk.scrub else { continue };
        if !scrub.trouble.is_empty() {
            let _ = write!(text, "\n\nthe scrub of disk {} stands still: {}", disk.number, scrub.trouble);
        }
        for finding in &scrub.newest {
            let _ = write!(text, "\n\ndisk {}: a shard is {}: {}", disk.number, finding.kind, finding.detail);
        }
    }
    text
}

fn columns(scrub: &ScrubProgress) -> Vec<String> {
    let bytes = |bytes: u64| format_bytes(bytes as f64);
    let cycle = match (scrub.cycle, scrub.running, scrub.accelerated) {
        (0, ..) => "none yet".to_owned(),
        (cycle, true, true) => format!("{cycle}, asked for"),
        (cycle, true, false) => format!("{cycle}, running"),
        (cycle, false, _) => format!("{cycle}, ended"),
    };
    let percent = (scrub.done_bytes.saturating_mul(100)).checked_div(scrub.total_bytes);
    let percent = percent.filter(|_| scrub.running).unwrap_or(if scrub.cycle > 0 { 100 } else { 0 });
    let unreported =
        if scrub.unreported > 0 { format!(", {} not reported yet", scrub.unreported) } else { String::new() };
    vec![
        cycle,
        format!("{} ({percent} %)", bytes(scrub.done_bytes)),
        scrub.shards.to_string(),
        if scrub.running { format!("{}/s", bytes(scrub.rate_bytes_per_s)) } else { String::new() },
        scrub.eta_s.map_or_else(String::new, format_seconds),
        format!("{}{unreported}", scrub.findings),
        scrub.last.as_ref().map_or_else(|| "none yet".to_owned(), describe),
    ]
}

fn describe(last: &CycleEntry) -> String {
    format!("{}, {} shards, {} bad", format_ms(last.ended_ms), last.shards, last.findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_progress_and_findings_follow_it() {
        let json = r#"[{"number":1,"id":"i","node":"n","path":"/d/1","scrub":{"cycle":3,"running":true,
            "accelerated":false,"started_ms":0,"done_bytes":1048576,"total_bytes":4194304,"shards":9,
            "rate_bytes_per_s":1024,"eta_s":3072,"findings":1,"unreported":1,
            "newest":[{"shard":"s","kind":"corrupt","detail":"s at volume 1 offset 4096: cell 0 is bad"}],
            "last":{"cycle":2,"started_ms":0,"ended_ms":1790000000000,"bytes":5,"shards":7,"findings":0},
            "trouble":"no bytes"}},
            {"number":2,"id":"j","node":"n","path":"/d/2","scrub":null}]"#;
        let text = render(&serde_json::from_str::<Vec<ScrubEntry>>(json).unwrap());
        for part in [
            "3, running",
            "1.0 MiB (25 %)",
            "51 min",
            "1, 1 not reported yet",
            "7 shards, 0 bad",
            "unknown",
            "disk 1 stands still: no bytes",
            "disk 1: a shard is corrupt: s at volume 1",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
