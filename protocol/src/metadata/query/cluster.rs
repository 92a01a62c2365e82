use cairn_core::id::{CommitSequence, DiskId, DiskNumber, Epoch, ExtentId};
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

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetRepairQueue {
    /// Page size limit.
    #[n(0)]
    pub limit: u32,
}

/// A shard that waits for repair.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RepairEntry {
    #[n(0)]
    pub extent: ExtentId,
    #[n(1)]
    pub index: u8,
    /// 1: a degraded write. 2: the shard was not found. 3: it does not verify.
    #[n(2)]
    #[cbor(default)]
    pub cause: u8,
    /// Where metadata places it.
    #[n(3)]
    pub disk: Option<DiskNumber>,
}

/// The state of repair, as far as the leader knows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetRepairStatus {}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RepairStatus {
    /// Extents with a shard to rebuild or to move, at the end of the last pass over the tables.
    #[n(0)]
    pub pending_extents: u64,
    /// Bytes still to be written for them.
    #[n(1)]
    pub pending_bytes: u64,
    /// Those that cannot be read at present.
    #[n(2)]
    pub lost_extents: u64,
    /// Those for which no disk may take a shard.
    #[n(3)]
    pub without_place_extents: u64,
    /// Tasks waiting in memory.
    #[n(4)]
    pub waiting: u64,
    /// Shards that this leader has rebuilt or moved.
    #[n(5)]
    pub done_shards: u64,
    #[n(6)]
    pub done_bytes: u64,
    /// Failed rebuilds. Each is retried.
    #[n(7)]
    pub failures: u64,
    /// The present rate limit.
    #[n(8)]
    pub bytes_per_s_limit: u64,
    #[n(9)]
    pub running: Vec<RunningRebuild>,
    /// Silent nodes whose shards are not rebuilt, because too many nodes are silent at once.
    #[n(16)]
    pub held_back: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RunningRebuild {
    #[n(0)]
    pub extent: ExtentId,
    #[n(1)]
    pub index: u8,
    /// Where metadata places it now.
    #[n(2)]
    pub from: Option<DiskNumber>,
    #[n(3)]
    pub target: DiskNumber,
    #[n(4)]
    pub bytes: u64,
    /// Further losses that the extent survives.
    #[n(5)]
    pub spare: u8,
    /// Whether the shard is healthy and only moves.
    #[n(6)]
    pub moves: bool,
}

/// The number of extents with a shard on a disk, which is what a drain has left to do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CountDiskExtents {
    #[n(0)]
    pub disk: DiskNumber,
}

/// The running or the last comparison of all metadata with the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetVerification {
    /// Starts one, unless one is running.
    #[n(0)]
    pub start: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Verification {
    /// How many this leader has started. The report belongs to the last one that has ended.
    #[n(0)]
    pub begun: u64,
    #[n(1)]
    pub is_running: bool,
    /// Shards compared so far.
    #[n(2)]
    pub shards_compared: u64,
    /// Shards that should exist, for a progress bar.
    #[n(3)]
    pub shards_expected: u64,
    /// The last one's result.
    #[n(4)]
    pub report: Option<VerifyReport>,
}

/// The result of comparing metadata with the disks' inventories (I10).
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifyReport {
    /// The commit as of which the metadata was read.
    #[n(0)]
    pub commit: CommitSequence,
    /// Objects with all of their shards.
    #[n(1)]
    pub whole: Amount,
    /// Objects with too few shards, by the further losses that they survive.
    #[n(2)]
    pub at_risk: Vec<(u8, Amount)>,
    /// Objects that cannot be read at present.
    #[n(3)]
    pub lost: Amount,
    /// The first of the lost objects and of those at risk, worst first.
    #[n(4)]
    pub listed: Vec<ObjectAtRisk>,
    /// Including those of open uploads and of released contents.
    #[n(5)]
    pub extents: u64,
    /// Extents with too few shards.
    #[n(6)]
    pub extents_at_risk: u64,
    #[n(7)]
    pub disks: Vec<VerifiedDisk>,
    /// Complete extents with more shards in one failure domain than needed.
    #[n(8)]
    #[cbor(default)]
    pub crowded_extents: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Amount {
    #[n(0)]
    pub objects: u64,
    /// Before coding.
    #[n(1)]
    pub bytes: u64,
}

/// An object at risk or lost.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectAtRisk {
    #[n(0)]
    pub bucket: String,
    #[n(1)]
    pub key: String,
    /// Further losses that it survives; `None` if it is lost.
    #[n(2)]
    pub spare: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifiedDisk {
    #[n(0)]
    pub disk: DiskNumber,
    /// Shards that are where metadata places them.
    #[n(1)]
    pub good: u64,
    /// Shards that metadata places on the disk and that it does not hold.
    #[n(2)]
    pub missing: u64,
    /// Shards on the disk that metadata does not place there: garbage not yet collected, and writes in progress.
    #[n(3)]
    pub unknown: u64,
    /// Why the inventory could not be read. All its shards then count as missing.
    #[n(4)]
    pub error: Option<String>,
}
