//! `cairn cluster audit`: reads metadata and disks directly while every service is stopped.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use cairn_recovery::audit::{AuditOptions, AuditReport, Shards, audit};
use cairn_server::SystemClock;
use cairn_server::SystemThreads;
use clap::Args;

use super::listing;
use crate::commands::CommandError;
use crate::commands::output::{complain, print, print_json, table};
use crate::unit::format_bytes;

/// Audit a stopped cluster.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The directories of metadata members, such as cairn-data/metadata: a majority, to include the newest commits.
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    metadata: Vec<PathBuf>,
    /// The directories of the disks, such as cairn-data/disk*.
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    disk: Vec<PathBuf>,
    /// Check only that shards exist, without verifying their bytes.
    #[arg(long)]
    quick: bool,
    /// Directory for a temporary copy of the metadata [default: the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Print JSON instead of tables.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &AuditArgs) -> Result<(), CommandError> {
    let options = AuditOptions {
        metadata: args.metadata.clone(),
        disks: args.disk.clone(),
        verify: !args.quick,
        scratch: args.scratch.clone().unwrap_or_else(std::env::temp_dir),
    };
    let report = audit(&options, Arc::new(SystemClock::new()), &SystemThreads).map_err(Box::new)?;
    let metadata = &report.metadata;
    if 2 * metadata.voters_given <= metadata.voters {
        complain(&format!(
            "warning: {} of {} metadata members were given: commits that only the others have are not in this audit",
            metadata.voters_given, metadata.voters
        ));
    }
    if args.json { print_json(&report) } else { print(&render(&report)) }?;
    if report.is_healthy() {
        return Ok(());
    }
    let at_risk = report.at_risk.iter().map(|class| class.amount.objects).sum();
    Err(CommandError::AuditUnhealthy { at_risk, lost: report.lost.objects })
}

fn render(report: &AuditReport) -> String {
    let bytes = |bytes: u64| format_bytes(bytes as f64);
    let mut extents = table(&["extents", "count", "bytes"]);
    for class in &report.redundancy {
        let name = listing::survives(class.spare);
        extents.add_row([name, class.extents.to_string(), bytes(class.bytes)]);
    }
    for (name, count) in
        [("without a row: lost", report.extents_unbooked), ("that nothing refers to", report.extents_stray)]
    {
        if count > 0 {
            extents.add_row([name.to_owned(), count.to_string(), String::new()]);
        }
    }
    let mut disks = table(&["disk", "state", "good", "missing", "bad", "unknown", ""]);
    for disk in &report.disks {
        let name = disk.number.map_or_else(|| disk.path.clone().unwrap_or_default(), |number| number.to_string());
        let counts = [disk.good, disk.missing, disk.bad, disk.unknown].map(|count| count.to_string());
        let [good, missing, bad, unknown] = counts;
        disks.add_row([
            name,
            disk.state.to_string(),
            good,
            missing,
            bad,
            unknown,
            disk.error.clone().unwrap_or_default(),
        ]);
    }
    let objects = listing::objects(report.whole, &report.at_risk, report.lost);
    let (space, unowned) = (&report.space, &report.unowned);
    let mut text = format!("{objects}\n\n{extents}\n\n{disks}\n\n{}", unowned_table(unowned));
    let living = space.owned_bytes + space.unowned_bytes;
    let _ = write!(
        text,
        "\n\n{} of extents are {} coded; {} are on the disks, which is {} the allowance of {} for headers, checksums and \
         padding; the volumes occupy {}, {} of them deleted and not given back yet",
        bytes(space.model_bytes),
        bytes(space.coded_bytes),
        bytes(living),
        if space.is_within { "within" } else { "NOT within" },
        bytes(space.epsilon_bytes),
        bytes(space.allocated_bytes),
        bytes(space.dead_bytes),
    );
    if !report.verified {
        text.push_str("\n\nonly the presence of shards was looked at: without --quick their bytes are verified");
    }
    listing::list(&mut text, &report.listed);
    text
}

fn unowned_table(unowned: &cairn_recovery::audit::Unowned) -> comfy_table::Table {
    let mut rows = table(&["shards that no row has there", "count", "bytes"]);
    let classes: [(&str, Shards); 6] = [
        ("all", unowned.total),
        ("left behind by moves, to be deleted", unowned.left_behind),
        ("being rebuilt", unowned.rebuilding),
        ("of sessions that have not ended", unowned.of_open_sessions),
        ("garbage, to be collected", unowned.garbage),
        ("of sessions unknown to this metadata: is it old?", unowned.of_unknown_sessions),
    ];
    for (name, Shards { shards, bytes }) in classes {
        if shards > 0 || name == "all" {
            rows.add_row([name.to_owned(), shards.to_string(), format_bytes(bytes as f64)]);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{Amount, AtRisk, ObjectAtRisk};
    use cairn_recovery::audit::{AuditedDisk, AuditedMetadata, Redundancy, Space, Unowned};

    #[test]
    fn the_report_names_every_problem() {
        let amount = |objects| Amount { objects, bytes: objects << 20 };
        let shards = Shards { shards: 3, bytes: 5 << 10 };
        let report = AuditReport {
            cluster_id: "c".into(),
            metadata: AuditedMetadata { path: "m".into(), member: 1, log_index: 9, voters: 1, voters_given: 1 },
            verified: false,
            whole: amount(7),
            at_risk: vec![AtRisk { spare: 1, amount: amount(2) }],
            lost: amount(1),
            listed: vec![ObjectAtRisk { bucket: "b".into(), key: "k".into(), spare: None }],
            extents: 10,
            extents_at_risk: 3,
            redundancy: vec![Redundancy { spare: None, extents: 1, bytes: 4 }],
            extents_unbooked: 1,
            extents_stray: 0,
            disks: vec![AuditedDisk { number: Some(3), error: Some("not given".into()), ..AuditedDisk::default() }],
            unowned: Unowned { total: shards, of_unknown_sessions: shards, ..Unowned::default() },
            space: Space { is_within: false, ..Space::default() },
        };
        let text = render(&report);
        for part in [
            "survive 1 further",
            "b/k: lost",
            "not given",
            "NOT within",
            "is it old?",
            "5.0 KiB",
            "--quick",
            "without a row",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains("refers to"), "{text}");
        assert!(!report.is_healthy());
    }
}
