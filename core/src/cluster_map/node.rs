//! Nodes and where they stand.

use minicbor::{Decode, Encode};

use crate::id::NodeId;

/// A process that owns disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Node {
    /// Its identity, kept beside its disks.
    #[n(0)]
    pub id: NodeId,
    /// Its name for people: the host's name unless configured.
    #[n(1)]
    pub name: String,
    /// `host:port` of its internal RPC; empty for a node that lives in the same process as its only gateway.
    #[n(2)]
    pub rpc_addr: String,
    /// Where it stands.
    #[n(3)]
    pub labels: Labels,
}

/// Where a node stands. Nodes with equal labels share that failure domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Encode, Decode)]
pub struct Labels {
    /// The zone; empty where there is only one.
    #[n(0)]
    pub zone: String,
    /// The rack inside the zone.
    #[n(1)]
    pub rack: String,
}
