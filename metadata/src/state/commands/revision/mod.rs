//! Whether a command was decided under the settings that are in force.

use cairn_core::id::CommitSequence;
use cairn_protocol::metadata::Rejection;

use crate::state::tables::buckets::BucketRow;

/// Refuses a command that was decided under another revision of the bucket's settings, with the record that is in force.
/// `None` depends on no setting.
pub(super) fn check_revision(bucket: &BucketRow, decided: Option<CommitSequence>) -> Result<(), Rejection> {
    match decided {
        Some(revision) if revision != bucket.revision => Err(Rejection::StaleSettings(bucket.clone().into())),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
