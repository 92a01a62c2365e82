//! Queries on the cluster.

use cairn_core::id::{CommitSequence, DiskId, Epoch, ExtentId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use crate::storage::NodeStatus;

/// The cluster map, unless the asker has it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetClusterMap {
    /// The epoch that the asker has; 0 for none.
    #[n(0)]
    pub known: Epoch,
}

/// Which of the shards on a disk are provably garbage (I13): no version refers to their extent and its session has ended,
/// or committed metadata says that this shard of the extent lies on another disk, or nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClassifyShards {
    /// The disk that holds them.
    #[n(0)]
    pub disk: DiskId,
    /// The shards.
    #[n(1)]
    pub shards: Vec<ShardId>,
}

/// A summary for operators.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetClusterStatus {}

/// The answer to [`GetClusterStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClusterStatus {
    /// Buckets.
    #[n(0)]
    pub buckets: u64,
    /// Objects.
    #[n(1)]
    pub objects: u64,
    /// Their bytes, before coding.
    #[n(2)]
    pub object_bytes: u64,
    /// Uploads under way.
    #[n(3)]
    pub uploads: u64,
    /// Entries of the reclaim table.
    #[n(4)]
    pub reclaim_entries: u64,
    /// Shards queued for repair.
    #[n(5)]
    pub repair_entries: u64,
    /// Open gateway sessions.
    #[n(6)]
    pub sessions: u64,
    /// The newest commit.
    #[n(7)]
    pub commit: CommitSequence,
    /// Storage nodes that the leader has heard of, with how long ago in milliseconds.
    #[n(8)]
    pub nodes: Vec<(NodeStatus, u64)>,
}

/// The first entries of the repair queue.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetRepairQueue {
    /// At most so many.
    #[n(0)]
    pub limit: u32,
}

/// A shard that waits for repair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RepairEntry {
    /// The extent.
    #[n(0)]
    pub extent: ExtentId,
    /// The shard's index.
    #[n(1)]
    pub index: u8,
}
