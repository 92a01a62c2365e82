//! What a disk's threads share about its log and its index. Every method is short: it runs under the one lock.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Bound, Range};
use std::sync::Arc;

use cairn_core::shard::ShardId;

use super::base::{Changes, Checkpoint, CheckpointContents};
use super::entry::Entry;
use super::flux::{Flux, Purpose, Settled};
use super::options::RECENT_ENTRIES_MAX;
use super::volumes::Volumes;
use crate::format::{DiskIdentity, Place, VOLUME_DATA_START};

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

/// Whether a record may be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MayMove {
    /// It may.
    Yes,
    /// The shard is being written or deleted: ask again later.
    Busy,
    /// The shard is gone, or lies elsewhere.
    Gone,
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
    /// Everything in the last volume before this offset is on stable storage. Each record says so of those before it.
    pub(super) synced_before: u64,
    /// Records whose fate is open.
    pub(super) flux: Flux,
    /// The volumes there are.
    pub(super) volumes: Volumes,
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

impl Default for Place {
    fn default() -> Self {
        Self { volume: 0, offset: VOLUME_DATA_START }
    }
}

impl State {
    /// The state that a checkpoint describes. Volumes that were leaving and are still there go at the next checkpoint.
    pub(super) fn restore(checkpoint: Checkpoint) -> Self {
        let Checkpoint { shards, volumes, leaving, ghosts, .. } = checkpoint;
        let mut volumes = Volumes::restore(volumes);
        for volume in leaving {
            volumes.add(volume);
        }
        Self { shards, volumes, flux: Flux::restore(&ghosts), ..Self::default() }
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

    /// Takes `bytes` at the tail for a record.
    pub(super) fn reserve(&mut self, bytes: u64, purpose: Purpose) -> Place {
        let place = self.tail;
        self.tail.offset += bytes;
        self.volumes.reach(place, bytes);
        self.flux.reserve(place, purpose);
        place
    }

    /// Everything in a volume before this offset is settled: all of it was written that ever will be.
    pub(super) fn settled_before(&self, volume: u32) -> u64 {
        let end = if volume == self.tail.volume { self.tail.offset } else { 0 };
        self.flux.first_in(volume).map_or(end, |place| place.offset)
    }

    /// A volume was synced; everything before `offset` was settled before that began.
    pub(super) fn synced(&mut self, volume: u32, offset: u64) {
        if volume == self.tail.volume {
            self.synced_before = self.synced_before.max(offset);
        }
    }

    /// Begins a volume; the one before is sealed by that.
    pub(super) fn begin_volume(&mut self, number: u32) {
        self.synced_before = 0;
        self.tail = Place { volume: number, offset: VOLUME_DATA_START };
        self.volumes.add(number);
    }

    /// The fate of a reservation is known.
    pub(super) fn settle(&mut self, place: Place) -> Settled {
        self.flux.settle(place)
    }

    /// A reservation came to nothing. What was written of it may be whole on disk all the same, so it is left alone until
    /// its volume is compacted: with a hole in it, a record that has its footer would pass for a shard with damaged cells.
    pub(super) fn abandon(&mut self, place: Place) {
        let settled = self.flux.settle(place);
        if let Some(shard) = settled.shard
            && !settled.overtaken
        {
            self.flux.haunt(shard, place);
        }
    }

    /// As [`State::abandon`], of a record whose footer was not begun: it can never pass for whole, once it has a hole.
    pub(super) fn abandon_unfinished(&mut self, place: Place, bytes: u64) {
        self.abandon(place);
        self.bury(place, bytes);
    }

    /// The space of a record that never came to life, or that died.
    pub(super) fn bury(&mut self, place: Place, bytes: u64) {
        self.deaths += 1;
        if let Some(range) = self.volumes.bury(place, bytes) {
            self.holes.push(Hole { volume: place.volume, range });
        }
    }

    /// Gives back what was allocated past the last record of a volume.
    pub(super) fn release(&mut self, volume: u32, range: Range<u64>) {
        if !range.is_empty() {
            self.holes.push(Hole { volume, range });
        }
    }

    /// A shard is on stable storage at `entry.place`; `current` is where it was known to lie before.
    pub(super) fn put(&mut self, shard: ShardId, entry: Entry, current: Option<Entry>) {
        let bytes = entry.header(shard).record_bytes();
        match current {
            Some(current) if current.place == entry.place => return,
            Some(current) if current.place > entry.place => {
                self.bury(entry.place, bytes);
                self.volumes.cover(current.place.volume, entry.place.volume);
                return;
            }
            Some(current) => {
                self.kill(shard, &current);
                self.volumes.cover(entry.place.volume, current.place.volume);
            }
            None => {}
        }
        self.exorcise(shard, entry.place);
        self.shards += 1;
        self.volumes.live(entry.place, bytes);
        self.change(shard, Some(entry));
    }

    /// Whether a copy of the record at `from` may get its place in the log now, if the shard lies at `current`. Nothing may
    /// be under way that would come before the copy in the log and be overruled by it.
    pub(super) fn may_move(&self, shard: ShardId, from: Place, current: Option<Entry>) -> MayMove {
        if self.flux.is_busy(shard) {
            return MayMove::Busy;
        }
        if current.is_some_and(|current| current.place == from) { MayMove::Yes } else { MayMove::Gone }
    }

    /// A copy of the record at `from` is on stable storage at `entry.place`. It counts only if the shard still lies
    /// where the copy was made from; returns whether it does.
    pub(super) fn move_record(&mut self, shard: ShardId, entry: Entry, from: Place, current: Option<Entry>) -> bool {
        if current.is_some_and(|current| current.place == from) {
            self.put(shard, entry, current);
            return true;
        }
        self.bury(entry.place, entry.header(shard).record_bytes());
        match current {
            Some(current) => self.volumes.cover(current.place.volume, entry.place.volume),
            None => self.flux.haunt(shard, entry.place),
        }
        false
    }

    /// A tombstone at `place` is on stable storage; `current` is where the shard was known to lie before.
    pub(super) fn delete(&mut self, place: Place, shard: ShardId, current: Option<Entry>) {
        self.exorcise(shard, place);
        if let Some(current) = current.filter(|c| c.place < place) {
            self.kill(shard, &current);
            self.volumes.cover(place.volume, current.place.volume);
            self.change(shard, None);
        }
    }

    /// Marks the records of `shards` that are still being written and lie before the tombstone at `place`: they must
    /// not be confirmed.
    pub(super) fn overtake(&mut self, place: Place, shards: &BTreeSet<ShardId>) {
        for volume in self.flux.overtake(place, shards) {
            self.volumes.cover(place.volume, volume);
        }
    }

    fn exorcise(&mut self, shard: ShardId, place: Place) {
        for volume in self.flux.exorcise(shard, place) {
            self.volumes.cover(place.volume, volume);
        }
    }

    fn kill(&mut self, shard: ShardId, current: &Entry) {
        let bytes = current.header(shard).record_bytes();
        self.shards = self.shards.saturating_sub(1);
        self.volumes.died(current.place, bytes);
        self.bury(current.place, bytes);
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
        self.flux.first().unwrap_or(self.tail)
    }

    /// Whether a volume takes no more records, and none is under way in it.
    pub(super) fn is_sealed(&self, volume: u32) -> bool {
        volume < self.tail.volume && self.flux.first_in(volume).is_none()
    }

    /// Sealed volumes without anything alive, and without records that keep older records dead: their files can go.
    pub(super) fn dead_volumes(&self) -> Vec<u32> {
        let numbers = self.volumes.iter().map(|(number, _)| number);
        numbers.filter(|number| self.is_sealed(*number) && self.volumes.is_dead(*number)).collect()
    }

    /// A checkpoint of everything up to `position`, when the volumes `leaving` are about to go.
    pub(super) fn checkpoint(&self, identity: &DiskIdentity, position: Place, leaving: BTreeSet<u32>) -> Checkpoint {
        let volumes = self.volumes.rows(&leaving);
        let contents = CheckpointContents { shards: self.shards, volumes, leaving, ghosts: self.flux.ghost_rows() };
        Checkpoint::new(identity, position, contents)
    }

    /// The file of a volume is gone.
    pub(super) fn forget_volume(&mut self, volume: u32) {
        self.volumes.remove(volume);
        self.flux.forget_volume(volume);
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

#[cfg(test)]
mod tests {
    use cairn_core::geometry::Geometry;
    use cairn_core::id::{ExtentId, ProfileId, SessionId};

    use super::*;

    fn entry(volume: u32, offset: u64) -> Entry {
        let geometry = Geometry { data_shards: 1, parity_shards: 1, cell_bytes: 512, length: 512 };
        Entry { place: Place { volume, offset }, descriptor_bytes: 0, profile: ProfileId(1), geometry }
    }

    #[test]
    fn a_move_counts_only_if_the_shard_stayed_where_it_was() {
        let shard = ShardId { extent: ExtentId::new(SessionId(1), 1), index: 0 };
        let (old, copy, newer) = (entry(1, 4096), entry(2, 4096), entry(3, 4096));
        let check = |current: Option<Entry>, moves: bool, after: Known| {
            let mut state = State::default();
            if let Some(current) = current {
                state.put(shard, current, None);
            }
            assert_eq!(state.move_record(shard, copy, old.place, current), moves, "{current:?}");
            assert_eq!(state.known(shard), after, "{current:?}");
        };
        check(Some(old), true, Known::Present(copy));
        check(Some(newer), false, Known::Present(newer));
        check(None, false, Known::AskBase);
    }
}
