//! Disks and their states.

use minicbor::{Decode, Encode};

use crate::id::{DiskId, DiskNumber, NodeId};

/// One directory on one mounted filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Disk {
    /// Its short name in this cluster.
    #[n(0)]
    pub number: DiskNumber,
    /// Its identity, as in its superblock.
    #[n(1)]
    pub id: DiskId,
    /// The node that owns it.
    #[n(2)]
    pub node: NodeId,
    /// Its directory on that node, for people.
    #[n(3)]
    pub path: String,
    /// Bytes that the disk may hold; its weight in placement.
    #[n(4)]
    pub capacity_bytes: u64,
    /// Whether it takes new shards.
    #[n(5)]
    pub state: DiskState,
}

/// What a disk may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DiskState {
    /// Takes new shards, serves and deletes.
    #[n(0)]
    Active,
    /// Below its reserve of free space: serves and deletes, takes nothing new.
    #[n(1)]
    Full,
    /// Failed a write or became very slow: serves what it can, takes nothing new.
    #[n(2)]
    Suspect,
    /// Its node reports it missing, foreign or unreadable, or the node itself is silent.
    #[n(3)]
    Unavailable,
}

impl DiskState {
    /// Whether new shards may be placed here.
    pub const fn takes_shards(self) -> bool {
        matches!(self, Self::Active)
    }

    /// The state's name in output and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Full => "full",
            Self::Suspect => "suspect",
            Self::Unavailable => "unavailable",
        }
    }
}

impl std::fmt::Display for DiskState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
