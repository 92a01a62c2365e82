//! What a checkpoint records beside the entries: how far the log is in them, and what the state knew of the volumes.

use std::collections::{BTreeMap, BTreeSet};

use cairn_core::id::{ClusterId, DiskId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use super::entry::Entry;
use crate::format::{DiskIdentity, Place};

/// Layout of the database's tables. A database of another version is discarded.
const VERSION: u16 = 2;

/// Changes since the last checkpoint: a shard's entry, or `None` if the shard is gone.
pub(crate) type Changes = BTreeMap<ShardId, Option<Entry>>;

/// A checkpoint's row in the database.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Checkpoint {
    /// [`VERSION`].
    #[n(0)]
    version: u16,
    #[n(1)]
    disk: DiskId,
    #[n(2)]
    cluster: ClusterId,
    /// Everything in the log before this place is in the entries: the volume, and the offset in it.
    #[n(3)]
    volume: u32,
    #[n(4)]
    offset: u64,
    /// Number of entries.
    #[n(5)]
    pub(crate) shards: u64,
    #[n(6)]
    pub(crate) volumes: Vec<VolumeRow>,
    /// Dead volumes whose files are removed once the checkpoint is durable; after a crash some may still exist.
    #[n(7)]
    pub(crate) leaving: BTreeSet<u32>,
    #[n(8)]
    pub(crate) orphans: Vec<OrphanRow>,
    #[cbor(default)]
    #[n(9)]
    pub(crate) is_in_doubt: bool,
}

/// A volume in a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct VolumeRow {
    #[n(0)]
    pub(crate) number: u32,
    /// Entries that point into it.
    #[n(1)]
    pub(crate) live_records: u64,
    /// Older volumes with records that this one's tombstones and rewrites keep dead.
    #[n(2)]
    pub(crate) covers: BTreeSet<u32>,
    /// Bytes of the records that entries point to.
    #[n(3)]
    pub(crate) live_bytes: u64,
    #[n(4)]
    pub(crate) tombstone_bytes: u64,
    /// Where its last record ends.
    #[n(5)]
    pub(crate) end: u64,
}

/// An orphan record in a checkpoint: the record of a failed write, which may be whole on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct OrphanRow {
    #[n(0)]
    pub(crate) shard: ShardId,
    #[n(1)]
    pub(crate) volume: u32,
    #[n(2)]
    pub(crate) offset: u64,
}

/// What the state contributes to a checkpoint.
#[derive(Debug, Default)]
pub(crate) struct CheckpointContents {
    pub(crate) shards: u64,
    pub(crate) volumes: Vec<VolumeRow>,
    pub(crate) leaving: BTreeSet<u32>,
    pub(crate) orphans: Vec<OrphanRow>,
    pub(crate) is_in_doubt: bool,
}

impl Checkpoint {
    pub(crate) fn new(identity: &DiskIdentity, position: Place, contents: CheckpointContents) -> Self {
        let (disk, cluster) = (identity.disk, identity.cluster);
        let (volume, offset) = (position.volume, position.offset);
        let CheckpointContents { shards, volumes, leaving, orphans, is_in_doubt } = contents;
        Self { version: VERSION, disk, cluster, volume, offset, shards, volumes, leaving, orphans, is_in_doubt }
    }

    /// Everything in the log before this place is in the entries.
    pub(crate) fn position(&self) -> Place {
        Place { volume: self.volume, offset: self.offset }
    }

    /// Whether it is of this disk and of the version that is written today.
    pub(crate) fn is_of(&self, identity: &DiskIdentity) -> bool {
        (self.version, self.disk, self.cluster) == (VERSION, identity.disk, identity.cluster)
    }
}
