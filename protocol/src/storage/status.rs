//! What a storage node says of itself.

use cairn_core::cluster_map::DiskState;
use cairn_core::id::{ClusterId, CommitSequence, DiskId, HistoryId, NodeId};
use minicbor::{Decode, Encode};

use super::scrub::ScrubStatus;

/// A node and its disks. Also the body of a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NodeStatus {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// Its disks, those out of service included.
    #[n(1)]
    pub disks: Vec<DiskStatus>,
    /// The cluster that it belongs to; nothing before it was registered, and from a node that does not say.
    #[n(2)]
    pub cluster: Option<ClusterId>,
    /// The newest commit that the metadata service has shown it; nothing from a node that does not say.
    #[n(3)]
    pub commit: Option<CommitSequence>,
    /// The history that this commit belongs to.
    #[n(4)]
    pub history: Option<HistoryId>,
}

/// One disk, as its node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DiskStatus {
    /// The disk.
    #[n(0)]
    pub disk: DiskId,
    /// Its directory.
    #[n(1)]
    pub path: String,
    /// Whether it takes shards, and if not, why.
    #[n(2)]
    pub state: DiskState,
    /// Why it is in that state, with what to do about it; empty for an active disk.
    #[n(3)]
    pub reason: String,
    /// Bytes it may hold.
    #[n(4)]
    pub capacity_bytes: u64,
    /// Bytes its volumes occupy, as the filesystem counts them.
    #[n(5)]
    pub used_bytes: u64,
    /// Shards it holds.
    #[n(6)]
    pub shards: u64,
    /// How far its scrub is; nothing from a node that does not say.
    #[n(7)]
    pub scrub: Option<ScrubStatus>,
}
