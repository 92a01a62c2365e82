//! Rebalancing and re-encoding.

use serde::{Deserialize, Serialize};

use super::named::named;

/// The answer to `GET`, `POST` and `DELETE /v1/rebalance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebalanceStatus {
    /// `never`, `running`, `waiting` (a repair or a drain goes first), `stopped`, `even`, `reprotected`, or `stuck`.
    pub state: RebalanceState,
    /// Whether it re-encodes off-profile objects instead of moving shards.
    #[serde(default)]
    pub reprotects: bool,
    /// Why it is stuck; null unless it is.
    pub why: Option<String>,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Limit in bytes per second; null for repair's limit.
    pub bytes_per_s_max: Option<u64>,
    /// Shards that it has moved or re-encoded.
    pub moved_shards: u64,
    /// Bytes of the shards that it has moved, or of the objects that it has re-encoded.
    pub moved_bytes: u64,
    /// Bytes still to be moved, as far as known.
    pub left_bytes: u64,
    /// Passes over all extents begun since the leader took over.
    pub passes: u32,
    /// Shards being moved or re-encoded now.
    pub running: u64,
    /// Moves that failed since the leader took over and are retried.
    pub failures: u64,
    /// The disks that take part, as counted by the last survey, with moves since then.
    pub disks: Vec<DiskShare>,
    /// What would move; null unless this is a survey or a dry run.
    pub forecast: Option<RebalanceForecast>,
}

impl RebalanceStatus {
    /// Whether it is under way.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, RebalanceState::Running | RebalanceState::Waiting)
    }
}

/// What a disk holds, and what it should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskShare {
    /// Its number in the cluster.
    pub number: u64,
    /// Bytes that metadata locates on it.
    pub bytes: u64,
    /// Bytes that it would hold if all disks were equally full.
    pub share_bytes: u64,
}

/// What a rebalance would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebalanceForecast {
    /// Shards that would move.
    pub shards: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The disks afterwards.
    pub disks: Vec<DiskShare>,
}

named! {
    /// How a rebalance or a re-encoding stands.
    pub enum RebalanceState {
        Never = "never",
        Running = "running",
        /// A repair or a drain goes first.
        Waiting = "waiting",
        Stopped = "stopped",
        /// Every disk holds its share.
        Even = "even",
        /// No off-profile extent is left.
        Reencoded = "reprotected",
        /// Some disk does not hold its share, and nothing more can move.
        Stuck = "stuck",
    }
}
