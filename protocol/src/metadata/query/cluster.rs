//! Queries for the cluster map and for a summary of the cluster.

use cairn_core::id::{CommitSequence, DiskId, DiskNumber, Epoch};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use crate::storage::NodeStatus;

/// The cluster map, if it is newer than the asker's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetClusterMap {
    /// The asker's epoch; 0 if it has no map.
    #[n(0)]
    pub known: Epoch,
}

/// Which of a disk's shards are provably garbage (I13): no version refers to the extent and its session has ended, or
/// committed metadata places this shard on another disk, or nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClassifyShards {
    #[n(0)]
    pub disk: DiskId,
    #[n(1)]
    pub shards: Vec<ShardId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetClusterStatus {}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClusterStatus {
    #[n(0)]
    pub buckets: u64,
    #[n(1)]
    pub objects: u64,
    /// Before coding.
    #[n(2)]
    pub object_bytes: u64,
    #[n(3)]
    pub uploads: u64,
    #[n(4)]
    pub reclaim_entries: u64,
    /// Shards that wait for repair.
    #[n(5)]
    pub repair_entries: u64,
    #[n(6)]
    pub sessions: u64,
    #[n(7)]
    pub commit: CommitSequence,
    /// Storage nodes that have reported to this leader, and how many milliseconds ago.
    #[n(8)]
    pub nodes: Vec<(NodeStatus, u64)>,
}

/// The number of extents with a shard on a disk, which is what a drain has left to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CountDiskExtents {
    #[n(0)]
    pub disk: DiskNumber,
}
