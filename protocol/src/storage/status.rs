//! What a storage node reports of itself.

use cairn_core::cluster_map::DiskState;
use cairn_core::id::{ClusterId, CommitSequence, DiskId, GroupId, HistoryId, NodeId};
use minicbor::{Decode, Encode};

use super::scrub::ScrubStatus;

/// The state of a node and its disks. Also the body of a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NodeStatus {
    #[n(0)]
    pub node: NodeId,
    /// Including those out of service.
    #[n(1)]
    pub disks: Vec<DiskStatus>,
    /// `None` before the node is registered, and from an earlier release.
    #[n(2)]
    pub cluster: Option<ClusterId>,
    /// How far the node has seen the groups of the metadata service go.
    #[n(3)]
    pub seen: Vec<SeenCommit>,
}

/// How far a node has seen a group of the metadata service go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SeenCommit {
    /// The newest commit, which names the group.
    #[n(0)]
    pub commit: CommitSequence,
    /// The history that it belongs to; `None` if the group has not said.
    #[n(1)]
    pub history: Option<HistoryId>,
}

impl SeenCommit {
    /// Nothing was seen of `group`.
    pub fn nothing(group: GroupId) -> Self {
        Self { commit: CommitSequence::start(group), history: None }
    }

    /// The entry of `group`.
    pub fn of(group: GroupId, seen: &[Self]) -> Option<&Self> {
        seen.iter().find(|seen| seen.commit.group() == group)
    }
}

/// A disk as its node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DiskStatus {
    #[n(0)]
    pub disk: DiskId,
    /// The directory.
    #[n(1)]
    pub path: String,
    #[n(2)]
    pub state: DiskState,
    /// Why it is in that state and what to do about it. Empty for an active disk.
    #[n(3)]
    pub reason: String,
    #[n(4)]
    pub capacity_bytes: u64,
    /// Bytes that the volumes occupy, by the filesystem's count.
    #[n(5)]
    pub used_bytes: u64,
    #[n(6)]
    pub shards: u64,
    /// `None` from an earlier release.
    #[n(7)]
    pub scrub: Option<ScrubStatus>,
    /// Calls that were refused since the node started because the disk hung.
    #[n(8)]
    #[cbor(default)]
    pub refused_hanging: u64,
    /// Set while the disk may lack a shard, or have a deleted one, without knowing which: its inventory has to be compared with
    /// metadata. The number names the time since the disk was taken into service, for [`super::StorageNode::end_doubt`].
    #[n(9)]
    pub doubt: Option<u64>,
}
