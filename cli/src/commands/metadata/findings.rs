//! `cairn metadata findings`

use crate::admin::RecoveryFinding;
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Limit of pages: ten million findings.
const PAGES_MAX: usize = 10_000;

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let mut client = args.client()?;
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let last = all.last().map(|finding: &RecoveryFinding| finding.extent.clone());
        let page = client.metadata_findings(last.as_deref()).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    if args.json { print_json(&all) } else { print(&render(&all)) }
}

fn render(findings: &[RecoveryFinding]) -> String {
    if findings.is_empty() {
        return "no differences, or no restored service has been compared with the disks".to_owned();
    }
    let mut rows = table(&["what", "bucket", "key", "size", "extent", ""]);
    for finding in findings {
        let text = |part: &Option<String>| part.clone().unwrap_or_else(|| "unknown".to_owned());
        rows.add_row([
            finding.kind.to_string(),
            text(&finding.bucket),
            text(&finding.key),
            format_bytes(finding.bytes as f64),
            finding.extent.clone(),
            finding.detail.clone(),
        ]);
    }
    rows.to_string()
}
