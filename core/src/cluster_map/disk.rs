//! Disks and their states.

use minicbor::{Decode, Encode};

use crate::id::{DiskId, DiskNumber, NodeId};

/// One directory on one mounted filesystem.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Disk {
    /// Its short name in the cluster.
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
    /// What it may be used for at present.
    #[n(5)]
    pub state: DiskState,
    /// The operator's wish.
    #[n(6)]
    #[cbor(default)]
    pub standing: Standing,
}

impl Disk {
    /// Whether its shards have to be elsewhere: it is being drained, has failed, or was removed.
    pub fn is_leaving(&self) -> bool {
        self.standing != Standing::Member || matches!(self.state, DiskState::Failed | DiskState::Removed)
    }
}

/// The operator's wish for a disk, whatever its health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// It is part of the cluster.
    #[default]
    #[n(0)]
    Member,
    /// Its shards move elsewhere, and it takes no new ones.
    #[n(1)]
    Draining,
    /// It is gone for good. Its number is never reused.
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
    /// Free space is below the reserve: serves and deletes, takes no new shards.
    #[n(1)]
    Full,
    /// It failed a write or became very slow: serves what it can, takes no new shards.
    #[n(2)]
    Suspect,
    /// The node reports it missing, foreign or unreadable, or the node itself is silent.
    #[n(3)]
    Unavailable,
    /// In the map, but not in service yet.
    #[n(4)]
    Joining,
    /// It was away and is back: serves, but takes no new shards until it is reconciled with metadata.
    #[n(5)]
    Quarantined,
    /// The operator drains it: serves while its shards move elsewhere, takes no new ones.
    #[n(6)]
    Draining,
    /// It was away for longer than the grace period. Its shards are rebuilt elsewhere.
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

    /// The name in output and metrics.
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
