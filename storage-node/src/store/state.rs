//! What a disk's threads share about its log and its index. Every method is short: it runs under the one lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Bound, Range};
use std::sync::Arc;

use cairn_core::shard::ShardId;

use super::base::{Changes, VolumeRow};
use super::dead_ranges::DeadRanges;
use super::entry::Entry;
use super::options::RECENT_ENTRIES_MAX;
use crate::format::{Place, VOLUME_DATA_START};

/// What memory knows of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It lies there.
    Present(Entry),
    /// It is gone.
    Absent,
    /// Only the index on disk can tell.
    AskBase,
}

/// A part of a volume that holds nothing alive any more and can be punched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) volume: u32,
    pub(super) range: Range<u64>,
}

/// The log's and the index's state in memory.
#[derive(Default)]
pub(super) struct State {
    /// Where the next record goes; volume 0 before the first.
    pub(super) tail: Place,
    /// Records whose space is reserved and whose fate is open; true if a deletion overtook them.
    outstanding: BTreeMap<Place, Outstanding>,
    /// The volumes there are.
    pub(super) volumes: BTreeMap<u32, Volume>,
    /// Shards on the disk.
    pub(super) shards: u64,
    /// Changes since the last checkpoint.
    overlay: Changes,
    /// Changes that the running checkpoint writes.
    frozen: Arc<Changes>,
    /// Counts the checkpoints: what the index on disk said before one may be wrong after it.
    pub(super) base_generation: u64,
    recent: HashMap<ShardId, Entry>,
    recent_before: HashMap<ShardId, Entry>,
    /// Counts the records that died, so that a reader can tell whether its bytes may have been punched meanwhile.
    pub(super) deaths: u64,
    holes: Vec<Hole>,
}

#[derive(Debug, Clone, Copy)]
struct Outstanding {
    shard: Option<ShardId>,
    overtaken: bool,
}

/// A volume, as far as deletion is concerned.
#[derive(Debug, Default)]
pub(super) struct Volume {
    pub(super) live_records: u64,
    /// Older volumes with records that only this one's records keep dead.
    pub(super) covers: BTreeSet<u32>,
    dead: DeadRanges,
}

impl Default for Place {
    fn default() -> Self {
        Self { volume: 0, offset: VOLUME_DATA_START }
    }
}

impl State {
    /// The state that a checkpoint describes.
    pub(super) fn restore(shards: u64, rows: Vec<VolumeRow>) -> Self {
        let volume = |row: VolumeRow| {
            let volume = Volume { live_records: row.live_records, covers: row.covers, dead: DeadRanges::default() };
            (row.number, volume)
        };
        Self { shards, volumes: rows.into_iter().map(volume).collect(), ..Self::default() }
    }

    /// Looks a shard up in memory.
    pub(super) fn known(&self, shard: ShardId) -> Known {
        if let Some(change) = self.overlay.get(&shard).or_else(|| self.frozen.get(&shard)) {
            return change.map_or(Known::Absent, Known::Present);
        }
        match self.recent.get(&shard).or_else(|| self.recent_before.get(&shard)) {
            Some(entry) => Known::Present(*entry),
            None => Known::AskBase,
        }
    }

    /// Remembers what the index on disk said, if no checkpoint came between.
    pub(super) fn remember(&mut self, shard: ShardId, entry: Entry, generation: u64) {
        if generation != self.base_generation || self.known(shard) != Known::AskBase {
            return;
        }
        if self.recent.len() >= RECENT_ENTRIES_MAX {
            self.recent_before = std::mem::take(&mut self.recent);
        }
        self.recent.insert(shard, entry);
    }

    /// Takes `bytes` at the tail for a record of `shard`, or for a tombstone.
    pub(super) fn reserve(&mut self, bytes: u64, shard: Option<ShardId>) -> Place {
        let place = self.tail;
        self.tail.offset += bytes;
        self.outstanding.insert(place, Outstanding { shard, overtaken: false });
        place
    }

    /// Begins a volume; the one before is sealed by that.
    pub(super) fn begin_volume(&mut self, number: u32) {
        self.tail = Place { volume: number, offset: VOLUME_DATA_START };
        self.volumes.insert(number, Volume::default());
    }

    /// The fate of a reservation is known. True if the record was deleted while it was being written.
    pub(super) fn settle(&mut self, place: Place) -> bool {
        self.outstanding.remove(&place).is_some_and(|o| o.overtaken)
    }

    /// The space of a record that never came to life.
    pub(super) fn bury(&mut self, place: Place, bytes: u64) {
        self.deaths += 1;
        if let Some(volume) = self.volumes.get_mut(&place.volume) {
            let range = volume.dead.add(place.offset..place.offset + bytes);
            if !range.is_empty() {
                self.holes.push(Hole { volume: place.volume, range });
            }
        }
    }

    /// A shard is on stable storage at `entry.place`; `current` is where it was known to lie before.
    pub(super) fn put(&mut self, shard: ShardId, entry: Entry, current: Option<Entry>) {
        match current {
            Some(current) if current.place == entry.place => return,
            Some(current) if current.place > entry.place => {
                self.bury(entry.place, entry.header(shard).record_bytes());
                self.cover(current.place.volume, entry.place.volume);
                return;
            }
            Some(current) => {
                self.kill(shard, &current);
                self.cover(entry.place.volume, current.place.volume);
            }
            None => {}
        }
        self.shards += 1;
        self.volumes.entry(entry.place.volume).or_default().live_records += 1;
        self.change(shard, Some(entry));
    }

    /// A tombstone at `place` is on stable storage; `current` is where the shard was known to lie before.
    pub(super) fn delete(&mut self, place: Place, shard: ShardId, current: Option<Entry>) {
        if let Some(current) = current.filter(|c| c.place < place) {
            self.kill(shard, &current);
            self.cover(place.volume, current.place.volume);
            self.change(shard, None);
        }
    }

    /// Those of `shards` that are being written right now.
    pub(super) fn being_written(&self, shards: &BTreeSet<ShardId>) -> BTreeSet<ShardId> {
        self.outstanding.values().filter_map(|o| o.shard).filter(|shard| shards.contains(shard)).collect()
    }

    /// Marks the records of `shards` that are still being written and lie before the tombstone at `place`: they must
    /// not be confirmed.
    pub(super) fn overtake(&mut self, place: Place, shards: &BTreeSet<ShardId>) {
        let mut older = BTreeSet::new();
        for (at, outstanding) in self.outstanding.range_mut(..place) {
            if outstanding.shard.is_some_and(|shard| shards.contains(&shard)) {
                outstanding.overtaken = true;
                older.insert(at.volume);
            }
        }
        for volume in older {
            self.cover(place.volume, volume);
        }
    }

    fn kill(&mut self, shard: ShardId, current: &Entry) {
        self.shards = self.shards.saturating_sub(1);
        if let Some(volume) = self.volumes.get_mut(&current.place.volume) {
            volume.live_records = volume.live_records.saturating_sub(1);
        }
        self.bury(current.place, current.header(shard).record_bytes());
    }

    fn cover(&mut self, newer: u32, older: u32) {
        if newer != older {
            self.volumes.entry(newer).or_default().covers.insert(older);
        }
    }

    fn change(&mut self, shard: ShardId, entry: Option<Entry>) {
        self.recent.remove(&shard);
        self.recent_before.remove(&shard);
        self.overlay.insert(shard, entry);
    }

    /// Whether there is something to punch.
    pub(super) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// The holes to punch since the last call.
    pub(super) fn take_holes(&mut self) -> Vec<Hole> {
        std::mem::take(&mut self.holes)
    }

    /// Changes that wait for a checkpoint.
    pub(super) fn changes(&self) -> usize {
        self.overlay.len()
    }

    /// Everything before this place is settled.
    pub(super) fn position(&self) -> Place {
        self.outstanding.keys().next().copied().unwrap_or(self.tail)
    }

    /// Sealed volumes without anything alive, without anything under way, and without records that keep older records
    /// dead: their files can go.
    pub(super) fn dead_volumes(&self) -> Vec<u32> {
        let is_dead = |(number, volume): &(&u32, &Volume)| {
            let number = **number;
            number < self.tail.volume
                && volume.live_records == 0
                && !volume.covers.iter().any(|older| self.volumes.contains_key(older))
                && !self.outstanding.keys().any(|place| place.volume == number)
        };
        self.volumes.iter().filter(is_dead).map(|(number, _)| *number).collect()
    }

    /// Takes the changes for a checkpoint; they stay visible until [`State::thaw`].
    pub(super) fn freeze(&mut self) -> Arc<Changes> {
        self.frozen = Arc::new(std::mem::take(&mut self.overlay));
        Arc::clone(&self.frozen)
    }

    /// The checkpoint is over. If it failed, its changes wait for the next one.
    pub(super) fn thaw(&mut self, written: bool) {
        let frozen = std::mem::take(&mut self.frozen);
        if written {
            self.base_generation += 1;
        } else {
            for (shard, entry) in frozen.iter() {
                self.overlay.entry(*shard).or_insert(*entry);
            }
        }
    }

    /// The rows of a checkpoint, without the volumes `gone`.
    pub(super) fn volume_rows(&self, gone: &[u32]) -> Vec<VolumeRow> {
        let kept = self.volumes.iter().filter(|(number, _)| !gone.contains(number));
        kept.map(|(number, volume)| VolumeRow {
            number: *number,
            live_records: volume.live_records,
            covers: volume.covers.iter().copied().filter(|older| self.volumes.contains_key(older)).collect(),
        })
        .collect()
    }

    /// Changes in memory to shards after `after`, in order: what goes on top of a page of the index on disk.
    pub(super) fn changes_after(&self, after: Option<ShardId>, until: Option<ShardId>) -> Changes {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let end = until.map_or(Bound::Unbounded, Bound::Included);
        if let (Some(after), Some(until)) = (after, until)
            && until <= after
        {
            return Changes::new();
        }
        let mut changes: Changes = self.frozen.range((start, end)).map(|(s, e)| (*s, *e)).collect();
        changes.extend(self.overlay.range((start, end)).map(|(s, e)| (*s, *e)));
        changes
    }
}
