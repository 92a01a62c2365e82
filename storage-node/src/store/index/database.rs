//! The index on disk: a redb file that saves a restart from scanning all volumes.

use std::ops::Bound;

use cairn_core::shard::ShardId;
use redb::{Database, ReadableDatabase, TableDefinition};

use super::checkpoint::{Changes, Checkpoint};
use super::entry::{ENTRY_BYTES, Entry, KEY_BYTES, key_of, shard_of};
use super::file::IndexFile;
use crate::format::DiskIdentity;

const SHARDS: TableDefinition<'_, &[u8; KEY_BYTES], &[u8; ENTRY_BYTES]> = TableDefinition::new("shards");
const CHECKPOINT: TableDefinition<'_, (), &[u8]> = TableDefinition::new("checkpoint");
/// The open database.
pub(crate) struct IndexDb {
    database: Database,
    pub(crate) file: IndexFile,
}

impl IndexDb {
    /// Opens the database in `file`, or creates it there.
    pub(crate) fn open(file: IndexFile, cache_bytes: usize) -> Result<Self, redb::DatabaseError> {
        let database = Database::builder().set_cache_size(cache_bytes).create_with_backend(file.clone())?;
        Ok(Self { database, file })
    }

    /// The last checkpoint; `None` if there is none of this disk.
    pub(crate) fn checkpoint(&self, identity: &DiskIdentity) -> Result<Option<Checkpoint>, redb::Error> {
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
    pub(crate) fn write(&self, changes: &Changes, checkpoint: &Checkpoint) -> Result<(), redb::Error> {
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

    /// Looks several shards up in one transaction; the answers are in their order.
    pub(crate) fn lookup(&self, shards: &[ShardId]) -> Result<Vec<Option<Entry>>, redb::Error> {
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

    /// The shards after `after` with where they are, in the order of their ids, at most `limit`.
    pub(crate) fn page(&self, after: Option<ShardId>, limit: usize) -> Result<Vec<(ShardId, Entry)>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let table = match transaction.open_table(SHARDS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            table => table?,
        };
        let start = after.map(key_of);
        let bound = start.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let rows = table.range::<&[u8; KEY_BYTES]>((bound, Bound::Unbounded))?.take(limit);
        rows.map(|row| {
            let (key, entry) = row?;
            Ok((shard_of(key.value()), Entry::from_bytes(entry.value())))
        })
        .collect()
    }

    /// The shards whose entries point into a volume. Reads all entries.
    pub(crate) fn shards_in(&self, volume: u32) -> Result<Vec<ShardId>, redb::Error> {
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
