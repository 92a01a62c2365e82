//! The query on rebalancing.

use cairn_core::id::{CommitSequence, DiskNumber};
use minicbor::{Decode, Encode};

use crate::metadata::command::RebalanceEnd;

/// How the rebalance stands that is under way, or how the last one ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetRebalance {
    /// Counts what every disk holds and tries out what would move, without moving anything: a walk over all extents.
    #[n(0)]
    pub survey: bool,
}

/// A rebalance, as the replicated state has it: a new leader goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebalanceRecord {
    /// The commit that began it.
    #[n(0)]
    pub id: CommitSequence,
    /// In milliseconds since the Unix epoch.
    #[n(1)]
    pub started_ms: u64,
    /// `None` for repair's own cap.
    #[n(2)]
    pub bytes_per_s_max: Option<u64>,
    /// Shards that it has moved, or made by re-encoding.
    #[n(3)]
    pub moved_shards: u64,
    /// Bytes of the shards that it has moved; of the objects that it has re-encoded.
    #[n(4)]
    pub moved_bytes: u64,
    /// When it ended, and why; nothing while it is under way.
    #[n(5)]
    pub ended: Option<(u64, RebalanceEnd)>,
    /// Whether it re-encodes off-profile objects, instead of moving shards.
    #[n(6)]
    #[cbor(default)]
    pub reprotects: bool,
}

/// The answer to [`GetRebalance`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebalanceStatus {
    /// The rebalance under way or the last one; nothing if there was none.
    #[n(0)]
    pub record: Option<RebalanceRecord>,
    /// Whether it waits because a repair or a drain goes first.
    #[n(1)]
    pub is_waiting: bool,
    /// Passes over the extents that it has begun under this leader.
    #[n(2)]
    pub passes: u32,
    /// Bytes that are still to be moved, as far as is known.
    #[n(3)]
    pub left_bytes: u64,
    /// Shards under way.
    #[n(4)]
    pub running: u64,
    /// Moves that failed under this leader and were tried again.
    #[n(5)]
    pub failures: u64,
    /// The disks that share what they hold: as the last survey has counted, and what has moved since.
    #[n(6)]
    pub disks: Vec<DiskShare>,
    /// Of a survey: what would move.
    #[n(7)]
    pub forecast: Option<RebalanceForecast>,
}

/// What a disk holds beside what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DiskShare {
    #[n(0)]
    pub disk: DiskNumber,
    /// Bytes that it holds.
    #[n(1)]
    pub bytes: u64,
    /// Bytes that it would hold if all were equally full.
    #[n(2)]
    pub share_bytes: u64,
}

/// What a rebalance would do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RebalanceForecast {
    /// Shards that would move, those known to be bad included.
    #[n(0)]
    pub shards: u64,
    #[n(1)]
    pub bytes: u64,
    /// The disks afterwards.
    #[n(2)]
    pub disks: Vec<DiskShare>,
}
