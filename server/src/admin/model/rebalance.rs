//! What the admin API answers about rebalancing.

use serde::{Deserialize, Serialize};

/// The answer to `GET`, `POST` and `DELETE /v1/rebalance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebalanceStatus {
    /// `never`, `running`, `waiting` (a repair or a drain goes first), `stopped`, `even`, `reprotected`, or `stuck`.
    pub state: String,
    /// Whether it re-encodes what is not coded as new objects are, instead of moving shards.
    #[serde(default)]
    pub reprotects: bool,
    /// Of one that is stuck: why.
    pub why: Option<String>,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Bytes per second that it writes at most; null for the cap of repair.
    pub bytes_per_s_max: Option<u64>,
    /// Shards that it has moved, or made by re-encoding.
    pub moved_shards: u64,
    /// Bytes of the shards that it has moved; of the objects that it has re-encoded.
    pub moved_bytes: u64,
    /// Bytes that are still to be moved, as far as is known.
    pub left_bytes: u64,
    /// Passes over all extents that it has begun under the present leader.
    pub passes: u32,
    /// Shards under way.
    pub running: u64,
    /// Moves that failed under the present leader and are tried again.
    pub failures: u64,
    /// The disks that share what they hold, as the last survey has counted them, and what has moved since.
    pub disks: Vec<DiskShare>,
    /// Of a survey or a dry run: what would move.
    pub forecast: Option<RebalanceForecast>,
}

impl RebalanceStatus {
    /// Whether it is under way.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state.as_str(), "running" | "waiting")
    }
}

/// What a disk holds beside what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskShare {
    /// Its short name in the cluster.
    pub number: u64,
    /// Bytes that metadata has on it.
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
