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
    /// What it may be used for now.
    #[n(5)]
    pub state: DiskState,
    /// What the operator wants of it.
    #[n(6)]
    #[cbor(default)]
    pub standing: Standing,
}

impl Disk {
    /// Whether its shards have to be elsewhere: it is being drained, or is given up.
    pub fn is_leaving(&self) -> bool {
        self.standing != Standing::Member || matches!(self.state, DiskState::Failed | DiskState::Removed)
    }
}

/// What the operator wants of a disk, whatever its health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// It is part of the cluster.
    #[default]
    #[n(0)]
    Member,
    /// Its shards move elsewhere; it takes nothing new.
    #[n(1)]
    Draining,
    /// It is gone for good. Its number is never given out again.
    #[n(2)]
    Removed,
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
    /// Accepted into the map and not in service yet.
    #[n(4)]
    Joining,
    /// It was away and is back: serves, and takes nothing new until what it holds has been compared with metadata.
    #[n(5)]
    Quarantined,
    /// The operator drains it: serves while its shards move elsewhere, takes nothing new.
    #[n(6)]
    Draining,
    /// It was away for longer than the grace period: its shards are rebuilt elsewhere.
    #[n(7)]
    Failed,
    /// The operator removed it.
    #[n(8)]
    Removed,
}

impl DiskState {
    /// Whether new shards may be placed here.
    pub const fn takes_shards(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether what it holds can be read.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Active | Self::Full | Self::Suspect | Self::Quarantined | Self::Draining)
    }

    /// The state's name in output and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Full => "full",
            Self::Suspect => "suspect",
            Self::Unavailable => "unavailable",
            Self::Joining => "joining",
            Self::Quarantined => "quarantined",
            Self::Draining => "draining",
            Self::Failed => "failed",
            Self::Removed => "removed",
        }
    }
}

impl std::fmt::Display for DiskState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
