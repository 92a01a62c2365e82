//! Repair.

use serde::{Deserialize, Serialize};

use super::named::named;

/// The answer to `GET /v1/repair`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairStatus {
    /// Extents with a shard to rebuild or move, as of the last scan.
    pub pending_extents: u64,
    /// Bytes to write for them.
    pub pending_bytes: u64,
    /// Those of them that cannot be read now.
    pub lost_extents: u64,
    /// Those of them whose shards fit on no disk.
    pub without_place_extents: u64,
    /// Shards rebuilt or moved since the leader took over.
    pub done_shards: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Rebuilds that failed and are retried.
    pub failures: u64,
    /// The present limit in bytes per second.
    pub bytes_per_s_limit: u64,
    /// Rebuilds under way.
    pub running: Vec<RunningRebuild>,
    /// Silent nodes whose shards are not rebuilt because more than a third of all nodes are silent at once.
    #[serde(default)]
    pub held_back: Vec<String>,
}

/// A rebuild under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningRebuild {
    /// The extent.
    pub extent: String,
    /// The shard's index.
    pub shard: u8,
    /// The disk where metadata locates it now.
    pub from_disk: Option<u64>,
    /// The disk where it will be.
    pub to_disk: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Further losses that the extent survives.
    pub spare: u8,
    /// Whether it is only moved.
    pub moves: bool,
}

/// An entry of the answer to `GET /v1/repair/queue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedShard {
    /// The extent.
    pub extent: String,
    /// The shard's index.
    pub shard: u8,
    /// The disk where metadata locates it.
    pub disk: Option<u64>,
    /// `not written`, `missing` or `corrupt`.
    pub cause: QueueCause,
}

named! {
    /// Why a shard waits for repair.
    pub enum QueueCause {
        /// The write was acknowledged without it.
        NotWritten = "not written",
        Missing = "missing",
        Corrupt = "corrupt",
    }
}

impl QueueCause {
    /// The cause by its number in the metadata service's answer.
    pub(crate) const fn of(number: u8) -> Self {
        match number {
            1 => Self::NotWritten,
            2 => Self::Missing,
            3 => Self::Corrupt,
            _ => Self::Unknown,
        }
    }
}
