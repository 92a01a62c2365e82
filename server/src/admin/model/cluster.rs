//! The cluster in one page, and its nodes.

use serde::{Deserialize, Serialize};

use super::named::named;

/// The answer to `GET /v1/cluster`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The cluster's identity.
    pub cluster_id: String,
    /// Version of the cluster map.
    pub epoch: u64,
    /// Sequence number of the newest commit.
    pub commit: u64,
    /// Buckets.
    pub buckets: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes, before coding.
    pub object_bytes: u64,
    /// Multipart uploads under way.
    pub uploads: u64,
    /// Released contents whose space is not reclaimed yet.
    pub reclaim_entries: u64,
    /// Shards that wait for repair.
    pub repair_entries: u64,
    /// Open gateway sessions.
    pub sessions: u64,
    /// Storage nodes.
    pub nodes: Vec<NodeEntry>,
    /// Disks by state.
    pub disks: DiskCounts,
    /// Profiles of new objects.
    pub profile: ProfileNames,
    /// Bytes that all disks together may hold.
    pub capacity_bytes: u64,
    /// Bytes that they hold.
    pub used_bytes: u64,
}

/// A storage node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Its identity.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its internal RPC listens; empty for a node that only its own process uses.
    pub rpc_addr: String,
    /// Its zone; empty if there is only one.
    #[serde(default)]
    pub zone: String,
    /// Its rack within the zone.
    #[serde(default)]
    pub rack: String,
    /// `up` while any of its disks can be reached, else `unavailable`.
    pub state: NodeState,
    /// Milliseconds since its last heartbeat; null if none has arrived since the leader took over.
    pub last_heard_ms: Option<u64>,
}

/// Disks by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskCounts {
    /// All disks that the cluster knows.
    pub total: u64,
    /// Those that take new shards.
    pub active: u64,
    /// Those below their reserve of free space.
    pub full: u64,
    /// Those that failed a write or are very slow.
    pub suspect: u64,
    /// Those that are missing, foreign or unreadable, or whose node is silent.
    pub unavailable: u64,
    /// Those that were accepted and are not in service yet.
    #[serde(default)]
    pub joining: u64,
    /// Those that have returned and are being reconciled with metadata before they take new shards.
    #[serde(default)]
    pub quarantined: u64,
    /// Those that are being emptied.
    #[serde(default)]
    pub draining: u64,
    /// Those that were away for longer than the grace period: their shards are rebuilt elsewhere.
    #[serde(default)]
    pub failed: u64,
    /// Those that were removed for good.
    #[serde(default)]
    pub removed: u64,
}

/// Names of the profiles in force, such as `4+2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileNames {
    /// For tiny objects.
    pub small: String,
    /// For the others.
    pub large: String,
}

named! {
    /// Whether a node can be reached.
    pub enum NodeState {
        Up = "up",
        Unavailable = "unavailable",
    }
}
