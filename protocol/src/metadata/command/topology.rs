//! Commands on the cluster map.

use cairn_core::cluster_map::{DiskEvent, DiskState, Labels};
use cairn_core::id::{ClusterId, DiskId, DiskNumber, NodeId};
use minicbor::{Decode, Encode};

/// Makes a storage node and its disks known, or updates its address and labels. Known disks keep their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RegisterNode {
    /// The cluster that the node's disks belong to; nothing for a node without any formatted disk.
    #[n(0)]
    pub cluster: Option<ClusterId>,
    /// The node.
    #[n(1)]
    pub node: NodeId,
    /// Its name for people.
    #[n(2)]
    pub name: String,
    /// `host:port` of its internal RPC; empty if only its own process uses it.
    #[n(3)]
    pub rpc_addr: String,
    /// Where it stands.
    #[n(4)]
    pub labels: Labels,
    /// Its disks.
    #[n(5)]
    pub disks: Vec<DiskRegistration>,
}

/// A disk that a node brings.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DiskRegistration {
    /// Its identity.
    #[n(0)]
    pub id: DiskId,
    /// Its directory.
    #[n(1)]
    pub path: String,
    /// Bytes it may hold.
    #[n(2)]
    pub capacity_bytes: u64,
    /// Its state as the node sees it.
    #[n(3)]
    pub state: DiskState,
}

/// The answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NodeRegistered {
    /// The cluster, which goes into the superblocks of new disks.
    #[n(0)]
    pub cluster: ClusterId,
    /// The numbers of the disks, in the order of the request.
    #[n(1)]
    pub disks: Vec<DiskNumber>,
}

/// What the leader has seen of disks: their states in the map follow by [`cairn_core::cluster_map::step`]. Makes a new
/// epoch only if anything differs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SetDiskStates {
    /// The disks and the states that they were seen in; `Unavailable` for those that nobody reports.
    #[n(0)]
    pub states: Vec<(DiskId, DiskState)>,
}

/// Moves disks through their life: the operator's wishes, and what the leader concludes. All or nothing: refused with
/// `Topology` if one of the events is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChangeDisks {
    /// The disks, and what happens to them.
    #[n(0)]
    pub changes: Vec<(DiskId, DiskEvent)>,
    /// Whether a disk may be removed that extents still refer to: their shards are made anew from the others.
    #[n(1)]
    pub force: bool,
}
