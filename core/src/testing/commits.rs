//! Places in the log of the one group that tests have.

use crate::id::{CommitSequence, GroupId};

/// The first command of log entry `index`.
///
/// # Panics
///
/// If the index is above [`CommitSequence::INDEX_MAX`].
#[expect(clippy::unwrap_used, reason = "a test names a number that there is")]
pub fn commit_at(index: u64) -> CommitSequence {
    CommitSequence::new(GroupId::FIRST, index, 0).unwrap()
}
