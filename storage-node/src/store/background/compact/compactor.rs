//! The compaction thread: chooses a volume, has it emptied, and retires it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::copy::{Copier, Stop};
use crate::store::options::SMALL_VOLUMES_MAX;
use crate::store::shared::Shared;

/// The compaction thread's own state.
pub(crate) struct Compactor {
    shared: Arc<Shared>,
    /// Volumes with a record that cannot be copied, and how many live records they had when that was found.
    stuck: BTreeMap<u32, u64>,
    /// Whether the bound on the rate applies.
    is_paced: bool,
}

impl Compactor {
    pub(crate) fn new(shared: Arc<Shared>, is_paced: bool) -> Self {
        Self { shared, stuck: BTreeMap::new(), is_paced }
    }

    /// Runs until the disk goes out of service.
    pub(crate) fn run(mut self) {
        let interval = self.shared.disk.options.compact_interval;
        while self.wait(interval) {
            if self.shared.disk.options.compact_bytes_per_s_max > 0 {
                self.pass();
            }
        }
    }

    /// Waits; false once the disk is going out of service.
    fn wait(&self, time: Duration) -> bool {
        self.shared.compaction.drain_for(time, &mut Vec::new())
    }

    /// Compacts each volume that is worth it, once.
    pub(crate) fn pass(&mut self) {
        let mut seen = BTreeSet::new();
        while let Some(volume) = self.next_volume(&seen) {
            seen.insert(volume);
            match self.compact(volume) {
                Ok(()) => {}
                Err(Stop::Closing) => return,
                Err(Stop::Later(error)) => {
                    tracing::debug!(disk = %self.shared.disk.identity.disk, volume, %error, "compaction waits");
                    return;
                }
            }
        }
    }

    /// The sparsest of the volumes that are sparse enough; else the one with the least to copy, where many are small.
    fn next_volume(&mut self, seen: &BTreeSet<u32>) -> Option<u32> {
        if self.shared.disk.suspicion().is_some() {
            return None;
        }
        let options = &self.shared.disk.options;
        let state = self.shared.index.state();
        self.stuck.retain(|volume, live| state.volumes.get(*volume).is_some_and(|v| v.live_records == *live));
        let mut candidates = Vec::new();
        for (number, volume) in state.volumes.iter() {
            let is_eligible = state.is_sealed(number) && !state.volumes.is_dead(number);
            if !is_eligible || seen.contains(&number) || self.stuck.contains_key(&number) {
                continue;
            }
            let tombstones = if state.volumes.covered_by(number).is_empty() { 0 } else { volume.tombstone_bytes };
            let kept_bytes = volume.live_bytes + tombstones;
            candidates.push(Candidate { number, kept_bytes, data_bytes: volume.data_bytes() });
        }
        let kept_percent_max = u64::from(100 - options.compact_dead_percent);
        let sparse = candidates.iter().filter(|c| c.kept_bytes * 100 <= c.data_bytes * kept_percent_max);
        let sparsest = sparse.min_by_key(|c| c.kept_bytes * 1000 / c.data_bytes.max(1));
        let smallest = || {
            let small: Vec<_> = candidates.iter().filter(|c| c.data_bytes < options.volume_bytes / 16).collect();
            let too_many = small.len() + seen.len() > SMALL_VOLUMES_MAX;
            small.into_iter().filter(|_| too_many).min_by_key(|c| c.kept_bytes)
        };
        sparsest.or_else(smallest).map(|candidate| candidate.number)
    }

    fn compact(&mut self, volume: u32) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let mut copier = Copier::new(&shared, volume, self.is_paced);
        copier.run()?;
        let mut state = shared.index.state();
        let left = state.volumes.get(volume).map_or(0, |v| v.live_records);
        if left == 0 && !copier.is_deferred && !copier.is_unread && copier.damaged.is_empty() {
            state.volumes.retire(volume);
            drop(state);
            tracing::debug!(disk = %shared.disk.identity.disk, volume, "compacted");
            shared.index.wake_upkeep();
            return Ok(());
        }
        drop(state);
        if !copier.is_deferred {
            copier.report_lost_headers(left);
            self.stuck.insert(volume, left);
        }
        Ok(())
    }
}

/// A volume that may be compacted.
struct Candidate {
    number: u32,
    /// Bytes of the records that would have to be copied.
    kept_bytes: u64,
    /// Bytes between the header and the end of the last record.
    data_bytes: u64,
}
