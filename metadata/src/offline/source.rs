//! Which member an offline reader reads.

use std::path::PathBuf;

use cairn_core::id::MemberId;

/// The member that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The directory of the member that was read.
    pub dir: PathBuf,
    pub member: MemberId,
    /// The last entry of its log, all of which counts.
    pub log_index: u64,
    /// Number of voting members.
    pub voters: usize,
    /// Number of voters whose directories were given.
    pub voters_given: usize,
}

impl Source {
    /// Whether it is certain to contain everything that was acknowledged.
    pub fn is_majority(&self) -> bool {
        2 * self.voters_given > self.voters
    }
}
