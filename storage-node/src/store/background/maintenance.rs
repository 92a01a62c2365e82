//! The maintenance thread: punches holes, writes checkpoints, removes dead volumes, measures the space.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_core::shard::ShardId;
use cairn_protocol::storage::StorageError;

use crate::format::VOLUME_DATA_START;
use crate::store::disk::Disk;
use crate::store::index::Index;
use crate::store::options::CHECKPOINT_CHANGES_MAX;
use crate::store::records::{Found, Scan};
use crate::store::space::{make_spare, punch};
use crate::store::volume_files::volume_name;

/// Time between two measurements of the free space.
const TICK: Duration = Duration::from_millis(500);

/// What is left in a volume that counts as dead.
enum Left {
    Nothing,
    Shard(ShardId),
    Unread(Range<u64>),
}

/// The maintenance thread's own state.
pub(crate) struct Maintenance {
    disk: Arc<Disk>,
    index: Arc<Index>,
    last_checkpoint: Duration,
    /// Bytes that each volume occupies.
    used: HashMap<u32, u64>,
    newest_measured: u32,
    /// Dead volumes that could not be read to their end: they stay at least until the next start.
    unread: BTreeSet<u32>,
}

impl Maintenance {
    pub(crate) fn new(disk: Arc<Disk>, index: Arc<Index>) -> Self {
        let last_checkpoint = disk.clock.monotonic();
        Self { disk, index, last_checkpoint, used: HashMap::new(), newest_measured: 0, unread: BTreeSet::new() }
    }

    /// Runs until the queue is closed; ends with a checkpoint.
    pub(crate) fn run(mut self) {
        let mut wakes = Vec::new();
        while self.index.upkeep.drain_for(TICK, &mut wakes) {
            wakes.clear();
            self.punch();
            self.make_spare_if_missing();
            let (now, changes) = (self.disk.clock.monotonic(), self.index.state().changes());
            let due = now.saturating_sub(self.last_checkpoint) >= self.disk.options.checkpoint_interval;
            if due || changes >= CHECKPOINT_CHANGES_MAX {
                self.last_checkpoint = now;
                self.checkpoint();
            }
            self.measure();
        }
        self.punch();
        self.checkpoint();
    }

    fn punch(&mut self) {
        for volume in punch(&self.disk, &self.index) {
            self.used.remove(&volume);
        }
    }

    fn make_spare_if_missing(&self) {
        if !self.disk.health.has_spare.load(Ordering::Relaxed) && self.disk.suspicion().is_none() {
            make_spare(&self.disk);
        }
    }

    pub(crate) fn checkpoint(&mut self) {
        let index = Arc::clone(&self.index);
        let _one = index.lock_checkpoints();
        let mut candidates = index.state().dead_volumes();
        candidates.retain(|volume| !self.unread.contains(volume));
        let leaving: BTreeSet<u32> = candidates.into_iter().filter(|volume| self.is_provably_dead(*volume)).collect();
        // Without changes too, what is only in memory is written as soon as the disk takes it.
        if index.state().changes() == 0 && leaving.is_empty() && !index.is_behind() {
            return;
        }
        if let Err(error) = index.write_checkpoint(None, leaving.clone()) {
            // The index is only a cache: until it can be written, a restart replays more.
            tracing::warn!(disk = %self.disk.identity.disk, %error, "cannot write a checkpoint of the index");
            return;
        }
        for volume in leaving {
            self.remove(volume);
        }
    }

    /// Removes the file of a dead volume. The volume stays in the accounts until the file is removed: until then, what
    /// keeps its records dead must stay.
    fn remove(&mut self, volume: u32) {
        self.disk.files.forget(volume);
        if let Err(error) = self.disk.io.remove_volume(&volume_name(volume)) {
            tracing::warn!(disk = %self.disk.identity.disk, volume, %error, "cannot remove a dead volume");
            return;
        }
        if let Err(error) = self.disk.io.sync_volumes() {
            self.disk.suspect("syncing the folder of volumes", &error);
            return;
        }
        self.used.remove(&volume);
        self.index.state().forget_volume(volume);
    }

    /// Reads the whole volume and looks each of its shards up in the index: nothing is removed because of a counter
    /// alone, nor because a read failed.
    fn is_provably_dead(&mut self, volume: u32) -> bool {
        let disk = &self.disk;
        match self.look_for_life(volume) {
            Ok(Left::Nothing) => return true,
            Ok(Left::Shard(shard)) => {
                tracing::error!(volume, %shard, "a volume that counts as dead holds a live shard");
            }
            Ok(Left::Unread(range)) => {
                tracing::error!(disk = %disk.identity.disk, volume, ?range, "a dead volume is kept: it cannot be read");
                self.unread.insert(volume);
            }
            Err(error) => tracing::warn!(disk = %disk.identity.disk, volume, %error, "cannot look into a dead volume"),
        }
        false
    }

    fn look_for_life(&self, volume: u32) -> Result<Left, StorageError> {
        let failed = |error: io::Error| self.disk.io_error("reading a dead volume", &error);
        let file = self.disk.files.get(volume).map_err(failed)?;
        let mut scan = Scan::new(&file, &self.disk.identity, volume, VOLUME_DATA_START).map_err(failed)?;
        while let Some(found) = scan.next().map_err(failed)? {
            match found {
                Found::Shard(header) if self.index.is_at(header.shard, header.place)? => {
                    return Ok(Left::Shard(header.shard));
                }
                Found::Unread(unread) => return Ok(Left::Unread(unread.range)),
                Found::Shard(_) | Found::Unfinished(_) | Found::Tombstone(..) | Found::Gap(_) | Found::Remains(_) => {}
            }
        }
        Ok(Left::Nothing)
    }

    fn measure(&mut self) {
        if let Ok(space) = self.disk.io.space() {
            let below = space.available_bytes < self.disk.options.reserve_bytes;
            self.disk.health.below_reserve.store(below, Ordering::Relaxed);
            self.disk.health.no_files_left.store(space.available_files == Some(0), Ordering::Relaxed);
        }
        let (volumes, newest): (Vec<u32>, u32) = {
            let state = self.index.state();
            (state.volumes.iter().map(|(number, _)| number).collect(), state.tail.volume)
        };
        for volume in &volumes {
            if *volume < self.newest_measured && self.used.contains_key(volume) {
                continue;
            }
            if let Ok(bytes) = self.disk.files.get(*volume).and_then(|file| file.allocated_bytes()) {
                self.used.insert(*volume, bytes);
            }
        }
        self.newest_measured = newest;
        self.used.retain(|volume, _| volumes.binary_search(volume).is_ok());
        let others = self.disk.io.other_bytes().unwrap_or_default();
        self.disk.health.used_bytes.store(self.used.values().sum::<u64>() + others, Ordering::Relaxed);
    }
}
