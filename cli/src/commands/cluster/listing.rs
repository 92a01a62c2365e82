//! Objects by the losses they survive, for verification and audit.

use std::fmt::Write as _;

use comfy_table::Table;

use crate::admin::{Amount, AtRisk, ObjectAtRisk};
use crate::commands::output::table;
use crate::unit::format_bytes;

/// Limit of objects listed in text; `--json` has more.
const LISTED_MAX: usize = 20;

/// The objects, the whole ones first.
pub(super) fn objects(whole: Amount, at_risk: &[AtRisk], lost: Amount) -> Table {
    let mut summary = table(&["objects", "count", "bytes"]);
    let mut row = |name: String, amount: Amount| {
        summary.add_row([name, amount.objects.to_string(), format_bytes(amount.bytes as f64)]);
    };
    row("whole".to_owned(), whole);
    for class in at_risk.iter().rev() {
        row(format!("at risk, survive {} further losses", class.spare), class.amount);
    }
    row("lost: readable again when disks return".to_owned(), lost);
    summary
}

/// `survives 2 further losses`, or `lost`.
pub(super) fn survives(spare: Option<u8>) -> String {
    spare.map_or("lost".to_owned(), |spare| format!("survives {spare} further losses"))
}

/// Adds the first of the objects at risk or lost.
pub(super) fn list(text: &mut String, listed: &[ObjectAtRisk]) {
    for object in listed.iter().take(LISTED_MAX) {
        let _ = write!(text, "\n{}/{}: {}", object.bucket, object.key, survives(object.spare));
    }
}
