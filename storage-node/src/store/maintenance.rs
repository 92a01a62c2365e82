//! The maintenance thread: punches holes, writes checkpoints, removes dead volumes, watches the free space.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_core::clock::Clock;

use super::base::Checkpoint;
use super::options::CHECKPOINT_CHANGES_MAX;
use super::scan::{Found, Scan};
use super::shared::Shared;
use super::volume_files::volume_name;

/// How often the free space is looked at.
const TICK: Duration = Duration::from_millis(500);

/// The maintenance thread's own state.
pub(super) struct Maintenance {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    last_checkpoint: Duration,
    /// Bytes that each volume occupies.
    used: HashMap<u32, u64>,
    newest_measured: u32,
}

impl Maintenance {
    pub(super) fn new(shared: Arc<Shared>, clock: Arc<dyn Clock>) -> Self {
        let last_checkpoint = clock.monotonic();
        Self { shared, clock, last_checkpoint, used: HashMap::new(), newest_measured: 0 }
    }

    /// Runs until the queue is closed; ends with a checkpoint.
    pub(super) fn run(mut self) {
        let mut wakes = Vec::new();
        while self.shared.upkeep.drain_for(TICK, &mut wakes) {
            wakes.clear();
            self.punch();
            let (now, changes) = (self.clock.monotonic(), self.shared.state().changes());
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
        let holes = self.shared.state().take_holes();
        // A disk that failed a write is left as it is.
        if self.shared.suspicion().is_some() {
            return;
        }
        for hole in holes {
            let bytes = hole.range.end.saturating_sub(hole.range.start);
            let punched = self.shared.files.get(hole.volume).and_then(|file| file.punch(hole.range.start, bytes));
            if let Err(error) = punched {
                tracing::warn!(disk = %self.shared.identity.disk, volume = hole.volume, %error, "cannot punch a hole");
            }
            self.used.remove(&hole.volume);
        }
    }

    pub(super) fn checkpoint(&mut self) {
        let candidates = self.shared.state().dead_volumes();
        let gone: Vec<u32> = candidates.into_iter().filter(|volume| self.is_provably_dead(*volume)).collect();
        let (changes, checkpoint) = {
            let mut state = self.shared.state();
            if state.changes() == 0 && gone.is_empty() {
                return;
            }
            let rows = state.volume_rows(&gone);
            let checkpoint = Checkpoint::new(&self.shared.identity, state.position(), state.shards, rows);
            (state.freeze(), checkpoint)
        };
        let written = self.shared.base.write(&changes, &checkpoint);
        drop(changes);
        let mut state = self.shared.state();
        state.thaw(written.is_ok());
        if let Err(error) = written {
            // The index is only a cache: until it can be written, a restart scans more.
            tracing::warn!(disk = %self.shared.identity.disk, %error, "cannot write a checkpoint of the index");
            return;
        }
        for volume in &gone {
            state.volumes.remove(volume);
        }
        drop(state);
        for volume in gone {
            self.shared.files.forget(volume);
            self.used.remove(&volume);
            if let Err(error) = self.shared.io.remove_volume(&volume_name(volume)) {
                tracing::warn!(disk = %self.shared.identity.disk, volume, %error, "cannot remove a dead volume");
            }
        }
    }

    /// Reads the whole volume and asks the index about every shard that it still names: nothing is removed on the
    /// strength of a counter.
    fn is_provably_dead(&self, volume: u32) -> bool {
        let dead = || -> Option<bool> {
            let file = self.shared.files.get(volume).ok()?;
            let mut scan = Scan::new(&file, &self.shared.identity, volume, crate::format::VOLUME_DATA_START).ok()?;
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
        }
        let (volumes, newest): (Vec<u32>, u32) = {
            let state = self.shared.state();
            (state.volumes.keys().copied().collect(), state.tail.volume)
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
        self.shared.used_bytes.store(self.used.values().sum(), Ordering::Relaxed);
    }
}
