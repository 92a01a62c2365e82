//! What a command may know beside the state.

use cairn_core::id::{CommitSequence, GroupId};

use crate::error::StoreError;

/// What a command may know besides the state. Order comes from the log, time from the leader's proposal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) sequence: CommitSequence,
    /// When the leader proposed it, in milliseconds since the Unix epoch.
    pub(crate) now_ms: u64,
}

/// The place of command `item` of the log entry `index`.
pub(crate) fn place(group: GroupId, index: u64, item: usize) -> Result<CommitSequence, StoreError> {
    CommitSequence::new(group, index, item).ok_or(StoreError::UsedUp { group, index })
}
