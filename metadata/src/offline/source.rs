//! Which member an offline reader reads.

use std::path::PathBuf;

use cairn_core::id::MemberId;

/// Whose word it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The directory of the member that was read.
    pub dir: PathBuf,
    /// The member.
    pub member: MemberId,
    /// The last entry of its log, all of which counts.
    pub log_index: u64,
    /// Members that vote.
    pub voters: usize,
    /// Those of them whose directories were given.
    pub voters_given: usize,
}

impl Source {
    /// Whether everything that was acknowledged is sure to be in it.
    pub fn is_majority(&self) -> bool {
        2 * self.voters_given > self.voters
    }
}
