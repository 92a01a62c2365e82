//! The contents of a backup in numbers.

use cairn_core::id::{ClusterId, CommitSequence};

use super::format::Head;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    pub cluster: ClusterId,
    /// The newest commit.
    pub commit: CommitSequence,
    pub objects: u64,
    /// When it was written, in milliseconds since the Unix epoch, by the clock of the member that wrote it.
    pub written_ms: u64,
    /// Bytes of rows.
    pub bytes: u64,
}

impl BackupSummary {
    pub(super) fn new(head: &Head, bytes: u64) -> Self {
        let Head { cluster, commit, objects, written_ms, .. } = *head;
        Self { cluster, commit, objects, written_ms, bytes }
    }
}
