//! The maintenance thread: punches holes, writes checkpoints, removes dead volumes, watches the free space.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_core::sync::IgnorePoison;

use super::options::CHECKPOINT_CHANGES_MAX;
use super::scan::{Found, Scan};
use super::shared::Shared;
use super::volume_files::volume_name;
use crate::format::VOLUME_DATA_START;

/// How often the free space is looked at.
const TICK: Duration = Duration::from_millis(500);

/// The maintenance thread's own state.
pub(super) struct Maintenance {
    shared: Arc<Shared>,
    last_checkpoint: Duration,
    /// Bytes that each volume occupies.
    used: HashMap<u32, u64>,
    newest_measured: u32,
}

impl Maintenance {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let last_checkpoint = shared.clock.monotonic();
        Self { shared, last_checkpoint, used: HashMap::new(), newest_measured: 0 }
    }

    /// Runs until the queue is closed; ends with a checkpoint.
    pub(super) fn run(mut self) {
        let mut wakes = Vec::new();
        while self.shared.upkeep.drain_for(TICK, &mut wakes) {
            wakes.clear();
            self.punch();
            self.set_spare_aside();
            let (now, changes) = (self.shared.clock.monotonic(), self.shared.state().changes());
            let due = now.saturating_sub(self.last_checkpoint) >= self.shared.options.checkpoint_interval;
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
        for volume in punch(&self.shared) {
            self.used.remove(&volume);
        }
    }

    /// Makes the spare file that a full disk's deletions need, smaller if there is not enough for a whole one.
    fn set_spare_aside(&self) {
        if !self.shared.spare_is_missing.load(Ordering::Relaxed) || self.shared.suspicion().is_some() {
            return;
        }
        set_spare_aside(&self.shared);
    }

    pub(super) fn checkpoint(&mut self) {
        let shared = Arc::clone(&self.shared);
        // One at a time: what one takes out of memory is only visible through it until it is done.
        let _one = shared.checkpointing.lock().ignore_poison();
        let candidates = self.shared.state().dead_volumes();
        let leaving: BTreeSet<u32> = candidates.into_iter().filter(|volume| self.is_provably_dead(*volume)).collect();
        // What is in memory alone is brought to disk as soon as that takes it, also without changes.
        let is_behind = self.shared.base.file.is_behind();
        let (changes, checkpoint) = {
            let mut state = self.shared.state();
            if state.changes() == 0 && leaving.is_empty() && !is_behind {
                return;
            }
            let checkpoint = state.checkpoint(&self.shared.identity, state.position(), leaving.clone());
            (state.freeze(), checkpoint)
        };
        let written = self.shared.base.write(&changes, &checkpoint);
        drop(changes);
        self.shared.state().thaw(written.is_ok());
        if let Some(error) = self.shared.base.file.take_blame() {
            self.shared.suspect("writing the index", &error);
        }
        if let Err(error) = written {
            // The index is only a cache: until it can be written, a restart scans more.
            tracing::warn!(disk = %self.shared.identity.disk, %error, "cannot write a checkpoint of the index");
            return;
        }
        for volume in leaving {
            self.remove(volume);
        }
    }

    /// Removes the file of a dead volume. It counts as gone only once the file is: until then, what keeps its records
    /// dead must stay.
    fn remove(&mut self, volume: u32) {
        self.shared.files.forget(volume);
        if let Err(error) = self.shared.io.remove_volume(&volume_name(volume)) {
            tracing::warn!(disk = %self.shared.identity.disk, volume, %error, "cannot remove a dead volume");
            return;
        }
        self.used.remove(&volume);
        self.shared.state().forget_volume(volume);
    }

    /// Reads the whole volume and asks the index about every shard that it still names: nothing is removed on the
    /// strength of a counter.
    fn is_provably_dead(&self, volume: u32) -> bool {
        let dead = || -> Option<bool> {
            let file = self.shared.files.get(volume).ok()?;
            let mut scan = Scan::new(&file, &self.shared.identity, volume, VOLUME_DATA_START).ok()?;
            while let Some(found) = scan.next().ok()? {
                if let Found::Shard(header) = found {
                    let located = self.shared.locate(&[header.shard]).ok()?;
                    if located.entries.first()?.is_some_and(|entry| entry.place == header.place) {
                        tracing::error!(volume, shard = %header.shard, "a volume that counts as dead holds a live shard");
                        return Some(false);
                    }
                }
            }
            Some(true)
        };
        dead().unwrap_or(false)
    }

    fn measure(&mut self) {
        if let Ok(space) = self.shared.io.space() {
            let below = space.available_bytes < self.shared.options.reserve_bytes;
            self.shared.below_reserve.store(below, Ordering::Relaxed);
            self.shared.no_files_left.store(space.available_files == Some(0), Ordering::Relaxed);
        }
        let (volumes, newest): (Vec<u32>, u32) = {
            let state = self.shared.state();
            (state.volumes.iter().map(|(number, _)| number).collect(), state.tail.volume)
        };
        for volume in &volumes {
            if *volume < self.newest_measured && self.used.contains_key(volume) {
                continue;
            }
            if let Ok(bytes) = self.shared.files.get(*volume).and_then(|file| file.allocated_bytes()) {
                self.used.insert(*volume, bytes);
            }
        }
        self.newest_measured = newest;
        self.used.retain(|volume, _| volumes.binary_search(volume).is_ok());
        let others = self.shared.io.other_bytes().unwrap_or_default();
        self.shared.used_bytes.store(self.used.values().sum::<u64>() + others, Ordering::Relaxed);
    }
}

/// Gives back the blocks that hold nothing alive. Returns the volumes that got smaller.
pub(super) fn punch(shared: &Shared) -> BTreeSet<u32> {
    let holes = shared.state().take_holes();
    // A disk that failed a write is left as it is.
    if shared.suspicion().is_some() {
        return BTreeSet::new();
    }
    for hole in &holes {
        let bytes = hole.range.end.saturating_sub(hole.range.start);
        let punched = shared.files.get(hole.volume).and_then(|file| file.punch(hole.range.start, bytes));
        if let Err(error) = punched {
            tracing::warn!(disk = %shared.identity.disk, volume = hole.volume, %error, "cannot punch a hole");
        }
    }
    holes.into_iter().map(|hole| hole.volume).collect()
}

/// Sets a file aside from which a volume can be made when nothing is free any more, as large as it can be had.
pub(super) fn set_spare_aside(shared: &Shared) {
    let room = shared.options.tombstone_room_bytes;
    let free = shared.io.space().map_or(0, |space| space.available_bytes);
    for share in [1, 4, 16] {
        let bytes = VOLUME_DATA_START + (room / share).next_multiple_of(4096);
        if free <= bytes {
            continue;
        }
        match shared.io.make_spare(bytes) {
            Ok(()) => return shared.spare_is_missing.store(share > 1, Ordering::Relaxed),
            Err(error) => tracing::warn!(disk = %shared.identity.disk, bytes, %error, "cannot set a spare file aside"),
        }
    }
}
