//! Queries for the state of repair.

use cairn_core::id::{DiskNumber, ExtentId};
use minicbor::{Decode, Encode};

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
