//! Nodes and their places.

use minicbor::{Decode, Encode};

use crate::id::NodeId;
use crate::release::Release;

/// A process that owns disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Node {
    /// Its identity, stored beside its disks.
    #[n(0)]
    pub id: NodeId,
    /// Its name for people: the host name unless configured.
    #[n(1)]
    pub name: String,
    /// `host:port` of its internal RPC; empty for a node in the same process as its only gateway.
    #[n(2)]
    pub rpc_addr: String,
    /// Its place.
    #[n(3)]
    pub labels: Labels,
    /// What it ran when it last registered.
    #[n(4)]
    pub release: Release,
}

/// The place of a node. Nodes with equal labels share that failure domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Labels {
    /// The zone; empty if there is only one.
    #[n(0)]
    pub zone: String,
    /// The rack inside the zone.
    #[n(1)]
    pub rack: String,
}
