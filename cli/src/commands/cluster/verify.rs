//! `cairn cluster verify`

use clap::Args;

use super::listing;
use crate::admin::{Verification, VerifyReport};
use crate::commands::output::{bar, print, print_json, table};
use crate::commands::{AdminArgs, CommandError};

/// Compare metadata with what every disk holds, and queue what is missing for repair.
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
    Err(CommandError::Unhealthy { at_risk, lost: report.lost.objects, crowded: report.crowded_extents })
}

fn render(report: &VerifyReport) -> String {
    let summary = listing::objects(report.whole, &report.at_risk, report.lost);
    let mut disks = table(&["disk", "good", "missing", "unknown", ""]);
    for disk in &report.disks {
        let (good, missing, unknown) = (disk.good.to_string(), disk.missing.to_string(), disk.unknown.to_string());
        disks.add_row([disk.number.to_string(), good, missing, unknown, disk.error.clone().unwrap_or_default()]);
    }
    let mut text = format!("{summary}\n\n{disks}");
    let missing: u64 = report.disks.iter().map(|disk| disk.missing).sum();
    if missing > 0 {
        text += "\n\n";
        text += &missing.to_string();
        text += " missing shards are queued for repair";
    }
    if report.crowded_extents > 0 {
        let crowded = report.crowded_extents;
        text += "\n\n";
        text += &crowded.to_string();
        text += " extents have more shards in one failure domain than they have to: repair moves them apart";
    }
    listing::list(&mut text, &report.listed);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{Amount, AtRisk, ObjectAtRisk, VerifiedDisk};

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
            crowded_extents: 4,
            disks: vec![VerifiedDisk {
                number: 3,
                good: 5,
                missing: 1,
                unknown: 0,
                error: Some("it is failed".into()),
            }],
        };
        let text = render(&report);
        for part in [
            "survive 0 further losses",
            "2.0 MiB",
            "b/k: lost",
            "it is failed",
            "4 extents",
            "1 missing shards are queued",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!report.is_healthy());
    }
}
