//! Commands that change the cluster map.

use cairn_core::cluster_map::{DiskEvent, DiskState, Labels};
use cairn_core::id::{ClusterId, DiskId, DiskNumber, NodeId};
use cairn_core::release::{FeatureLevel, Release};
use minicbor::{Decode, Encode};

/// Adds a storage node and its disks, or updates its address and labels. Known disks keep their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RegisterNode {
    /// The cluster that the node's disks belong to; `None` if none of them is formatted.
    #[n(0)]
    pub cluster: Option<ClusterId>,
    #[n(1)]
    pub node: NodeId,
    /// For people.
    #[n(2)]
    pub name: String,
    /// `host:port`; empty if only its own process uses it.
    #[n(3)]
    pub rpc_addr: String,
    #[n(4)]
    pub labels: Labels,
    #[n(5)]
    pub disks: Vec<DiskRegistration>,
    /// What the node runs. Refused with `OtherRelease` if it does not support the cluster's level.
    #[n(6)]
    pub release: Release,
}

/// A disk of a node that registers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DiskRegistration {
    #[n(0)]
    pub id: DiskId,
    /// The directory.
    #[n(1)]
    pub path: String,
    #[n(2)]
    pub capacity_bytes: u64,
    /// As the node sees it.
    #[n(3)]
    pub state: DiskState,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NodeRegistered {
    /// Written into the superblocks of new disks.
    #[n(0)]
    pub cluster: ClusterId,
    /// The numbers of the disks, in the order of the request.
    #[n(1)]
    pub disks: Vec<DiskNumber>,
}

/// What nodes report of their disks. The states in the map follow by [`cairn_core::cluster_map::step`]. The epoch grows
/// only if a state changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SetDiskStates {
    /// `Unavailable` for disks that no node reports.
    #[n(0)]
    pub states: Vec<(DiskId, DiskState)>,
}

/// Applies events to disks: what the operator orders, and what the leader concludes. All or nothing: refused with
/// `Topology` if one of them is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChangeDisks {
    #[n(0)]
    pub changes: Vec<(DiskId, DiskEvent)>,
    /// Whether a disk may be removed while extents refer to it. Their shards are then rebuilt from the others.
    #[n(1)]
    pub force: bool,
}

/// Raises the feature level. Refused with `OtherRelease` while a storage node or a gateway does not support it; a member of the
/// metadata service that does not takes no part from here on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RaiseLevel {
    #[n(0)]
    pub to: FeatureLevel,
}
