//! `cairn cluster verify`

use std::fmt::Write as _;

use clap::Args;

use crate::admin::{Amount, Verification, VerifyReport};
use crate::commands::output::{bar, print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Objects that are listed for people; `--json` has more.
const LISTED_MAX: usize = 20;

/// Compare metadata with what every disk holds.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &VerifyArgs) -> Result<(), CommandError> {
    let progress = bar("shards compared");
    let mut client = args.admin.client()?;
    let watch = |seen: &Verification| {
        progress.set_length(seen.shards_expected);
        progress.set_position(seen.shards_compared);
    };
    let report = client.verify(watch).await?;
    progress.finish_and_clear();
    if args.admin.json { print_json(&report) } else { print(&render(&report)) }?;
    if report.is_healthy() {
        return Ok(());
    }
    let at_risk = report.at_risk.iter().map(|class| class.amount.objects).sum();
    Err(CommandError::Unhealthy { at_risk, lost: report.lost.objects })
}

fn render(report: &VerifyReport) -> String {
    let mut summary = table(&["objects", "count", "bytes"]);
    let mut row = |name: String, amount: Amount| {
        summary.add_row([name, amount.objects.to_string(), format_bytes(amount.bytes as f64)]);
    };
    row("whole".to_owned(), report.whole);
    for class in report.at_risk.iter().rev() {
        row(format!("at risk, survive {} further losses", class.spare), class.amount);
    }
    row("lost: readable again when disks return".to_owned(), report.lost);
    let mut disks = table(&["disk", "good", "missing", "unknown", ""]);
    for disk in &report.disks {
        let (good, missing, unknown) = (disk.good.to_string(), disk.missing.to_string(), disk.unknown.to_string());
        disks.add_row([disk.number.to_string(), good, missing, unknown, disk.error.clone().unwrap_or_default()]);
    }
    let mut text = format!("{summary}\n\n{disks}");
    for object in report.listed.iter().take(LISTED_MAX) {
        let how = object.spare.map_or("lost".to_owned(), |spare| format!("survives {spare} further losses"));
        // Writing to a String does not fail.
        let _ = write!(text, "\n{}/{}: {how}", object.bucket, object.key);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{AtRisk, ObjectAtRisk, VerifiedDisk};

    #[test]
    fn the_worst_is_named() {
        let amount = |objects| Amount { objects, bytes: objects << 20 };
        let report = VerifyReport {
            commit: 1,
            whole: amount(7),
            at_risk: vec![AtRisk { spare: 0, amount: amount(2) }],
            lost: amount(1),
            listed: vec![ObjectAtRisk { bucket: "b".into(), key: "k".into(), spare: None }],
            extents: 10,
            extents_at_risk: 3,
            disks: vec![VerifiedDisk {
                number: 3,
                good: 5,
                missing: 1,
                unknown: 0,
                error: Some("it is failed".into()),
            }],
        };
        let text = render(&report);
        for part in ["survive 0 further losses", "2.0 MiB", "b/k: lost", "it is failed"] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!report.is_healthy());
    }
}
