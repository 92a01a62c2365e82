//! The index: where every shard is. The newest part is in memory ([`State`]), the rest in a redb file ([`IndexDb`]) that
//! is only a cache of the log and is brought up to date by checkpoints.

mod checkpoint;
mod database;
mod dead_ranges;
mod entry;
mod file;
mod located;
mod pending;
mod state;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use cairn_core::shard::ShardId;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::disk::Disk;
use super::queue::Queue;
use crate::format::Place;

pub(crate) use checkpoint::Checkpoint;
pub(crate) use database::IndexDb;
pub(crate) use entry::Entry;
pub(crate) use file::IndexFile;
pub(crate) use located::Located;
pub(crate) use pending::Purpose;
pub(crate) use state::{Known, MayMove, State};

/// The index of one disk.
pub(crate) struct Index {
    disk: Arc<Disk>,
    state: Mutex<State>,
    database: IndexDb,
    /// Wakes the maintenance thread: there are holes to punch, or a checkpoint is due.
    pub(crate) upkeep: Queue<()>,
    /// Held during a checkpoint: the changes that one takes out of memory are visible only through it until it ends.
    checkpointing: Mutex<()>,
}

impl Index {
    pub(crate) fn new(disk: Arc<Disk>, database: IndexDb, state: State) -> Self {
        Self { disk, state: Mutex::new(state), database, upkeep: Queue::new(1), checkpointing: Mutex::default() }
    }

    /// The part in memory. The lock is held for short: never while the disk is read or written.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().ignore_poison()
    }

    pub(crate) fn wake_upkeep(&self) {
        // One wake is enough; a queue that is closed has no thread to wake.
        let _ = self.upkeep.push(());
    }

    /// Where a shard is.
    pub(crate) fn locate(&self, shard: ShardId) -> Result<Located, StorageError> {
        let (known, generation) = {
            let state = self.state();
            (state.known(shard), state.generation)
        };
        let entry = match known {
            Known::Present(entry) => Some(entry),
            Known::Absent => None,
            Known::AskDatabase => self.database.lookup(&[shard]).map_err(|e| self.error(&e))?.pop().flatten(),
        };
        Ok(Located { entry, generation })
    }

    /// Where several shards are, in their order.
    pub(crate) fn locate_all(&self, shards: &[ShardId]) -> Result<Vec<Located>, StorageError> {
        let (known, generation) = {
            let state = self.state();
            (shards.iter().map(|shard| state.known(*shard)).collect::<Vec<_>>(), state.generation)
        };
        let asked = known.iter().zip(shards).filter(|(known, _)| **known == Known::AskDatabase);
        let asked: Vec<ShardId> = asked.map(|(_, shard)| *shard).collect();
        let mut found = if asked.is_empty() {
            Vec::new().into_iter()
        } else {
            self.database.lookup(&asked).map_err(|e| self.error(&e))?.into_iter()
        };
        let located = known.into_iter().map(|known| {
            let entry = match known {
                Known::Present(entry) => Some(entry),
                Known::Absent => None,
                Known::AskDatabase => found.next().flatten(),
            };
            Located { entry, generation }
        });
        Ok(located.collect())
    }

    /// Whether a shard is exactly there.
    pub(crate) fn is_at(&self, shard: ShardId, place: Place) -> Result<bool, StorageError> {
        Ok(self.locate(shard)?.entry.is_some_and(|entry| entry.place == place))
    }

    /// Where a shard is right now, given what was found a moment ago. Called with the state's lock held.
    pub(crate) fn current(&self, state: &State, shard: ShardId, earlier: Located) -> Option<Entry> {
        match state.known(shard) {
            Known::Present(entry) => Some(entry),
            Known::Absent => None,
            Known::AskDatabase if earlier.generation == state.generation => earlier.entry,
            // A checkpoint came between, which is rare: ask again. If that fails, the earlier answer is the best there is.
            Known::AskDatabase => {
                self.database.lookup(&[shard]).map_or(earlier.entry, |found| found.into_iter().next().flatten())
            }
        }
    }

    /// The shards after `after` with where they are, in the order of their ids; fewer than `limit` only at the end.
    pub(crate) fn page(&self, after: Option<ShardId>, limit: usize) -> Result<Vec<(ShardId, Entry)>, StorageError> {
        let mut found: Vec<(ShardId, Entry)> = Vec::new();
        let mut after = after;
        loop {
            let generation = self.state().generation;
            let stored = self.database.page(after, limit).map_err(|e| self.error(&e))?;
            let until = stored.last().map(|(shard, _)| *shard).filter(|_| stored.len() == limit);
            let changes = {
                let state = self.state();
                if state.generation != generation {
                    // A checkpoint came between: its changes are in neither.
                    continue;
                }
                state.changes_after(after, until)
            };
            let mut page: BTreeMap<ShardId, Entry> = stored.into_iter().collect();
            for (shard, entry) in changes {
                match entry {
                    Some(entry) => page.insert(shard, entry),
                    None => page.remove(&shard),
                };
            }
            found.extend(page);
            if found.len() >= limit || until.is_none() {
                found.truncate(limit);
                return Ok(found);
            }
            after = until;
        }
    }

    /// The shards that was in a volume at the last checkpoint. Reads the whole database; none if that fails.
    pub(crate) fn shards_at_checkpoint(&self, volume: u32) -> Vec<ShardId> {
        self.database.shards_in(volume).unwrap_or_default()
    }

    /// The space of a record whose footer was not begun is free.
    pub(crate) fn abandon_unfinished(&self, place: Place, bytes: u64) {
        self.state().abandon_unfinished(place, bytes);
        self.wake_upkeep();
    }

    /// Only one checkpoint is written at a time.
    pub(crate) fn lock_checkpoints(&self) -> MutexGuard<'_, ()> {
        self.checkpointing.lock().ignore_poison()
    }

    /// Writes all changes to the database. The log before `position` is in them; the files of the volumes `leaving` are
    /// removed afterwards. If it fails, the changes wait in memory for the next checkpoint.
    pub(crate) fn write_checkpoint(&self, position: Option<Place>, leaving: BTreeSet<u32>) -> Result<(), redb::Error> {
        let (changes, checkpoint) = {
            let mut state = self.state();
            let position = position.unwrap_or_else(|| state.position());
            let checkpoint = state.checkpoint(&self.disk.identity, position, leaving);
            (state.freeze(), checkpoint)
        };
        let written = self.database.write(&changes, &checkpoint);
        drop(changes);
        self.state().thaw(written.is_ok());
        if let Some(error) = self.database.file.take_unread() {
            self.disk.suspect("reading the index", &error);
        }
        if let Some(error) = self.database.file.take_blame() {
            self.disk.suspect("writing the index", &error);
        }
        written
    }

    /// Whether a part of the database is only in memory, because the disk did not take it.
    pub(crate) fn is_behind(&self) -> bool {
        self.database.file.is_behind()
    }

    fn error(&self, error: &redb::Error) -> StorageError {
        match error {
            // From the first failed read on, the database answers nothing: only a restart helps.
            redb::Error::Io(error) => self.disk.suspect("reading the index", error),
            error => self.disk.error(StorageErrorKind::Failed, format_args!("reading the index failed: {error}")),
        }
    }
}
