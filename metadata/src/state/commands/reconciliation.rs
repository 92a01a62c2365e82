//! See [`RecordFindings`] and [`EndReconciliation`].

use crate::state::stored::{EndReconciliation, RecordFindings};
use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::query::RestoreHold;

use super::adopt_object::held;
use crate::error::Refused;
use crate::state::tables::{Tables, findings, meta};

pub(super) fn record(tables: &mut Tables<'_>, command: &RecordFindings) -> Result<Outcome, Refused> {
    held(tables)?;
    if command.begins {
        findings::clear_open(&mut tables.findings)?;
    }
    for finding in &command.findings {
        findings::put(&mut tables.findings, finding.clone())?;
    }
    Ok(Outcome::Done)
}

pub(super) fn end(tables: &mut Tables<'_>, command: &EndReconciliation) -> Result<Outcome, Refused> {
    let hold = held(tables)?;
    let released_below = command.release_below.or(hold.released_below);
    let hold = RestoreHold { reconciled: Some(command.totals), released_below, ..hold };
    meta::put(&mut tables.meta, meta::RESTORED, &hold)?;
    Ok(Outcome::Done)
}
