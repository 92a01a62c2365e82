//! Disks.

use cairn_core::cluster_map;
use serde::{Deserialize, Serialize};

use super::named::named;

/// An entry of the answer to `GET /v1/disks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskEntry {
    /// Its number in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Name of the node that owns it.
    pub node: String,
    /// Its directory on that node.
    pub path: String,
    /// `active`, `full`, `suspect`, `unavailable`, `joining`, `quarantined`, `draining`, `failed` or `removed`.
    pub state: DiskState,
    /// Why it is in that state; null for a healthy disk.
    #[serde(default)]
    pub reason: Option<String>,
    /// Bytes that it may hold.
    pub capacity_bytes: u64,
    /// Bytes that it holds.
    pub used_bytes: u64,
    /// Shards that it holds.
    pub shards: u64,
}

/// The answer to `GET /v1/disks/{number}`, and to calls that change a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskProgress {
    /// Its number in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Its directory.
    pub path: String,
    /// `active`, `full`, `suspect`, `unavailable`, `joining`, `quarantined`, `draining`, `failed` or `removed`.
    pub state: DiskState,
    /// Whether it is being emptied.
    pub is_draining: bool,
    /// Shards that metadata locates on it.
    pub shards_left: u64,
}

named! {
    /// The state of a disk.
    pub enum DiskState {
        Active = "active",
        Full = "full",
        Suspect = "suspect",
        Unavailable = "unavailable",
        Joining = "joining",
        Quarantined = "quarantined",
        Draining = "draining",
        Failed = "failed",
        Removed = "removed",
        /// Only where a placement is explained: the shard has no disk and waits for repair.
        Nowhere = "nowhere",
    }
}

impl From<cluster_map::DiskState> for DiskState {
    fn from(state: cluster_map::DiskState) -> Self {
        match state {
            cluster_map::DiskState::Active => Self::Active,
            cluster_map::DiskState::Full => Self::Full,
            cluster_map::DiskState::Suspect => Self::Suspect,
            cluster_map::DiskState::Unavailable => Self::Unavailable,
            cluster_map::DiskState::Joining => Self::Joining,
            cluster_map::DiskState::Quarantined => Self::Quarantined,
            cluster_map::DiskState::Draining => Self::Draining,
            cluster_map::DiskState::Failed => Self::Failed,
            cluster_map::DiskState::Removed => Self::Removed,
        }
    }
}
