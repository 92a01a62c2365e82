//! The query for the state of a rebalance.

use cairn_core::id::{CommitSequence, DiskNumber};
use minicbor::{Decode, Encode};

use crate::metadata::command::RebalanceEnd;

/// The state of the running rebalance, else how the last one ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetRebalance {
    /// Also counts what every disk holds and computes what would move, without moving anything. It walks over all
    /// extents.
    #[n(0)]
    pub survey: bool,
}

/// A rebalance in the replicated state. A new leader continues it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebalanceRecord {
    /// The commit that started it.
    #[n(0)]
    pub id: CommitSequence,
    /// In milliseconds since the Unix epoch.
    #[n(1)]
    pub started_ms: u64,
    /// `None` for repair's own cap.
    #[n(2)]
    pub bytes_per_s_max: Option<u64>,
    /// Shards that it has moved, or written by re-encoding.
    #[n(3)]
    pub moved_shards: u64,
    /// Bytes of the moved shards, or of the re-encoded objects.
    #[n(4)]
    pub moved_bytes: u64,
    /// When it ended, in milliseconds since the Unix epoch, and why. `None` while it runs.
    #[n(5)]
    pub ended: Option<(u64, RebalanceEnd)>,
    /// Whether it re-encodes off-profile objects, instead of moving shards.
    #[n(6)]
    #[cbor(default)]
    pub reencodes: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebalanceStatus {
    /// The running or the last rebalance; `None` if there was none.
    #[n(0)]
    pub record: Option<RebalanceRecord>,
    /// Whether it waits for a repair or a drain, which go first.
    #[n(1)]
    pub is_waiting: bool,
    /// Passes over the extents that this leader has started.
    #[n(2)]
    pub passes: u32,
    /// Bytes left to move, as far as is known.
    #[n(3)]
    pub left_bytes: u64,
    /// Shards being moved.
    #[n(4)]
    pub running: u64,
    /// Moves that failed under this leader and were retried.
    #[n(5)]
    pub failures: u64,
    /// The disks that take part, as of the last survey and the moves since.
    #[n(6)]
    pub disks: Vec<DiskShare>,
    /// What a survey found would move.
    #[n(7)]
    pub forecast: Option<RebalanceForecast>,
}

/// What a disk holds, and its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DiskShare {
    #[n(0)]
    pub disk: DiskNumber,
    /// Held now.
    #[n(1)]
    pub bytes: u64,
    /// Held if all disks were equally full.
    #[n(2)]
    pub share_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RebalanceForecast {
    /// Including shards known to be bad.
    #[n(0)]
    pub shards: u64,
    #[n(1)]
    pub bytes: u64,
    /// The disks after the moves.
    #[n(2)]
    pub disks: Vec<DiskShare>,
}
