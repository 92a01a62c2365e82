//! Commands of the background jobs: reclaiming space and recording faults.

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
use minicbor::{Decode, Encode};

use crate::storage::ShardReportKind;

/// Names an entry of the reclaim table: the commit that made it and its place within that commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ReclaimId {
    /// The commit that released the extents.
    #[n(0)]
    pub sequence: CommitSequence,
    /// Counts the entries of that commit.
    #[n(1)]
    pub item: u32,
}

/// Removes the rows of extents whose shards have been deleted from every disk that held them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FinishReclaim {
    /// The entry that they belong to.
    #[n(0)]
    pub entry: ReclaimId,
    #[n(1)]
    pub extents: Vec<ExtentId>,
    /// Whether these are the last of the entry.
    #[n(2)]
    pub last: bool,
    /// The generation of each extent's locations when its shards were deleted. An extent that has moved since keeps its
    /// row until its new shards are deleted too. Empty in entries of earlier releases, which moved no released extents.
    #[n(3)]
    #[cbor(default)]
    pub generations: Vec<Generation>,
    /// Disks that are away. Their shards of the extents get entries of their own and wait for the disks to return, so
    /// that these extents hold up no drain and no repair.
    #[n(4)]
    #[cbor(default)]
    pub away: Vec<DiskNumber>,
}

/// Queues shards for repair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReportFaults {
    #[n(0)]
    pub reports: Vec<ShardReport>,
}

/// A shard that a reader or a scrub found missing or corrupt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub struct ShardReport {
    #[n(0)]
    pub extent: ExtentId,
    #[n(1)]
    pub index: u8,
    /// The disk that should hold it.
    #[n(2)]
    pub disk: DiskNumber,
    #[n(3)]
    pub kind: ShardReportKind,
}

/// Gives extents up for good: their writer says that it will not commit them. From this commit on none of them can be
/// committed, which proves that their shards are garbage (I13). What is committed already stays.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AbandonExtents {
    #[n(0)]
    pub extents: Vec<ExtentId>,
}
