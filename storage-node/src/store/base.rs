//! The index on disk: a redb file that only saves a restart from scanning everything.

use std::collections::{BTreeMap, BTreeSet};

use cairn_core::id::{ClusterId, DiskId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};
use redb::{Database, ReadableDatabase, TableDefinition};

use super::entry::{ENTRY_BYTES, Entry, KEY_BYTES, key_of, shard_of};
use super::index_file::IndexFile;
use crate::format::{DiskIdentity, Place};

const SHARDS: TableDefinition<'_, &[u8; KEY_BYTES], &[u8; ENTRY_BYTES]> = TableDefinition::new("shards");
const CHECKPOINT: TableDefinition<'_, (), &[u8]> = TableDefinition::new("checkpoint");
/// Layout of the tables. An index of another version is thrown away.
const VERSION: u16 = 2;

/// Changes since the last checkpoint: an entry, or nothing for a shard that is gone.
pub(super) type Changes = BTreeMap<ShardId, Option<Entry>>;

/// What a checkpoint says beside the entries.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Checkpoint {
    /// [`VERSION`].
    #[n(0)]
    version: u16,
    /// The disk that it is about.
    #[n(1)]
    disk: DiskId,
    /// The disk's cluster.
    #[n(2)]
    cluster: ClusterId,
    /// Everything in the log before this place is in the entries: the volume.
    #[n(3)]
    volume: u32,
    /// The offset in it.
    #[n(4)]
    offset: u64,
    /// Entries.
    #[n(5)]
    pub(super) shards: u64,
    /// The volumes there are.
    #[n(6)]
    pub(super) volumes: Vec<VolumeRow>,
    /// Dead volumes whose files are removed once the checkpoint is durable; after a crash some may still be there.
    #[n(7)]
    pub(super) leaving: BTreeSet<u32>,
    /// Records of writes that failed, which may be whole on disk all the same.
    #[n(8)]
    pub(super) ghosts: Vec<GhostRow>,
}

/// A volume in a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct VolumeRow {
    /// Its number.
    #[n(0)]
    pub(super) number: u32,
    /// Entries that point into it.
    #[n(1)]
    pub(super) live_records: u64,
    /// Older volumes with records that this one's tombstones and rewrites have made dead.
    #[n(2)]
    pub(super) covers: BTreeSet<u32>,
    /// Bytes of the records that entries point to.
    #[n(3)]
    pub(super) live_bytes: u64,
    /// Bytes of its tombstones.
    #[n(4)]
    pub(super) tombstone_bytes: u64,
    /// Where its last record ends.
    #[n(5)]
    pub(super) end: u64,
}

/// A ghost in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct GhostRow {
    /// The shard.
    #[n(0)]
    pub(super) shard: ShardId,
    /// The volume of its record.
    #[n(1)]
    pub(super) volume: u32,
    /// The offset of its record.
    #[n(2)]
    pub(super) offset: u64,
}

impl Checkpoint {
    pub(super) fn new(identity: &DiskIdentity, position: Place, contents: CheckpointContents) -> Self {
        let (disk, cluster) = (identity.disk, identity.cluster);
        let (volume, offset) = (position.volume, position.offset);
        let CheckpointContents { shards, volumes, leaving, ghosts } = contents;
        Self { version: VERSION, disk, cluster, volume, offset, shards, volumes, leaving, ghosts }
    }

    /// Everything in the log before this place is in the entries.
    pub(super) fn position(&self) -> Place {
        Place { volume: self.volume, offset: self.offset }
    }

    fn is_of(&self, identity: &DiskIdentity) -> bool {
        (self.version, self.disk, self.cluster) == (VERSION, identity.disk, identity.cluster)
    }
}

/// What the state says in a checkpoint.
#[derive(Debug, Default)]
pub(super) struct CheckpointContents {
    pub(super) shards: u64,
    pub(super) volumes: Vec<VolumeRow>,
    pub(super) leaving: BTreeSet<u32>,
    pub(super) ghosts: Vec<GhostRow>,
}

/// The open index.
pub(super) struct Base {
    database: Database,
    /// The file under it.
    pub(super) file: IndexFile,
}

impl Base {
    /// Opens the index in `file`, or makes it there.
    pub(super) fn open(file: IndexFile, cache_bytes: usize) -> Result<Self, redb::DatabaseError> {
        let database = Database::builder().set_cache_size(cache_bytes).create_with_backend(file.clone())?;
        Ok(Self { database, file })
    }

    /// The last checkpoint, if there is one of this disk.
    pub(super) fn checkpoint(&self, identity: &DiskIdentity) -> Result<Option<Checkpoint>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(CHECKPOINT) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            table => table?,
        };
        let row = table.get(())?;
        let checkpoint = row.and_then(|row| minicbor::decode::<Checkpoint>(row.value()).ok());
        Ok(checkpoint.filter(|c| c.is_of(identity)))
    }

    /// Writes changes and checkpoint in one transaction.
    pub(super) fn write(&self, changes: &Changes, checkpoint: &Checkpoint) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut shards = transaction.open_table(SHARDS)?;
            for (shard, entry) in changes {
                match entry {
                    Some(entry) => shards.insert(&key_of(*shard), &entry.to_bytes())?,
                    None => shards.remove(&key_of(*shard))?,
                };
            }
            let row = cairn_protocol::rpc::encode(checkpoint);
            transaction.open_table(CHECKPOINT)?.insert((), &*row)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Looks several shards up in one transaction.
    pub(super) fn lookup(&self, shards: &[ShardId]) -> Result<Vec<Option<Entry>>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(SHARDS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(vec![None; shards.len()]),
            table => table?,
        };
        let mut found = Vec::with_capacity(shards.len());
        for shard in shards {
            found.push(table.get(&key_of(*shard))?.map(|row| Entry::from_bytes(row.value())));
        }
        Ok(found)
    }

    /// At most `limit` shards after `after` with where they lie, in order.
    pub(super) fn page(&self, after: Option<ShardId>, limit: usize) -> Result<Vec<(ShardId, Entry)>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(SHARDS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            table => table?,
        };
        let start = after.map(key_of);
        let bound = start.as_ref().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let rows = table.range::<&[u8; KEY_BYTES]>((bound, std::ops::Bound::Unbounded))?.take(limit);
        rows.map(|row| {
            let (key, entry) = row?;
            Ok((shard_of(key.value()), Entry::from_bytes(entry.value())))
        })
        .collect()
    }

    /// The shards whose entries point into a volume. Reads the whole index.
    pub(super) fn shards_in(&self, volume: u32) -> Result<Vec<ShardId>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(SHARDS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            table => table?,
        };
        let mut found = Vec::new();
        for row in table.range::<&[u8; KEY_BYTES]>(..)? {
            let (key, entry) = row?;
            if Entry::from_bytes(entry.value()).place.volume == volume {
                found.push(shard_of(key.value()));
            }
        }
        Ok(found)
    }
}
