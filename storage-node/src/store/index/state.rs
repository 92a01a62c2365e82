//! The index and the log's accounts in memory. Every method is short: it runs under the one lock.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Bound, Range};
use std::sync::Arc;

use cairn_core::shard::ShardId;

use super::checkpoint::{Changes, Checkpoint, CheckpointContents};
use super::entry::Entry;
use super::pending::{Outcome, PendingRecords, Purpose};
use super::volumes::Volumes;
use crate::format::{DiskIdentity, Place, VOLUME_DATA_START};
use crate::store::options::RECENT_ENTRIES_MAX;

/// What memory knows of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Present(Entry),
    Absent,
    /// Only the database knows.
    AskDatabase,
}

/// Whether a record may be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayMove {
    Yes,
    /// The shard is being written or deleted: ask again later.
    Busy,
    /// The shard was deleted, or is elsewhere.
    Gone,
}

/// A range of a volume without live records, which can be punched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) volume: u32,
    pub(crate) range: Range<u64>,
}

/// The state of one disk's log and index.
#[derive(Default)]
pub(crate) struct State {
    /// Where the next record goes; volume 0 before the first.
    pub(crate) tail: Place,
    /// Everything in the last volume before this offset is settled: on stable storage. Each record repeats it for those
    /// before it.
    pub(crate) synced_before: u64,
    pub(crate) pending: PendingRecords,
    pub(crate) volumes: Volumes,
    /// Number of shards on the disk.
    pub(crate) shards: u64,
    /// Since the last checkpoint.
    overlay: Changes,
    /// Changes that the running checkpoint writes.
    frozen: Arc<Changes>,
    /// Counts the checkpoints: what the database said before one may be wrong after it.
    pub(crate) generation: u64,
    recent: HashMap<ShardId, Entry>,
    recent_before: HashMap<ShardId, Entry>,
    /// Counts the records that died, so that a reader knows whether its bytes may have been punched meanwhile.
    pub(crate) deaths: u64,
    holes: Vec<Hole>,
    /// Whether a shard may be missing, or a deleted one be back, without anybody knowing which: the log had bytes that are
    /// no record, or the index was made again. Until metadata has been compared with the disk.
    is_in_doubt: bool,
    /// Whether the last checkpoint says otherwise.
    is_doubt_unsaved: bool,
}

impl State {
    /// The state that a checkpoint describes. Volumes that were leaving and still exist go at the next checkpoint.
    pub(crate) fn restore(checkpoint: Checkpoint) -> Self {
        let Checkpoint { shards, volumes, leaving, orphans, is_in_doubt, .. } = checkpoint;
        let mut volumes = Volumes::restore(volumes);
        for volume in leaving {
            volumes.add(volume);
        }
        Self { pending: PendingRecords::restore(&orphans), volumes, shards, is_in_doubt, ..Self::default() }
    }

    pub(crate) fn known(&self, shard: ShardId) -> Known {
        if let Some(change) = self.overlay.get(&shard).or_else(|| self.frozen.get(&shard)) {
            return change.map_or(Known::Absent, Known::Present);
        }
        match self.recent.get(&shard).or_else(|| self.recent_before.get(&shard)) {
            Some(entry) => Known::Present(*entry),
            None => Known::AskDatabase,
        }
    }

    /// Remembers what the database said, unless a checkpoint came between.
    pub(crate) fn remember(&mut self, shard: ShardId, entry: Entry, generation: u64) {
        if generation != self.generation || self.known(shard) != Known::AskDatabase {
            return;
        }
        if self.recent.len() >= RECENT_ENTRIES_MAX {
            self.recent_before = std::mem::take(&mut self.recent);
        }
        self.recent.insert(shard, entry);
    }

    /// Reserves `bytes` at the tail for a record.
    pub(crate) fn reserve(&mut self, bytes: u64, purpose: Purpose) -> Place {
        let place = self.tail;
        self.tail.offset += bytes;
        self.volumes.reach(place, bytes);
        self.pending.reserve(place, purpose);
        place
    }

    /// Nothing before this offset of a volume is still being written.
    pub(crate) fn written_before(&self, volume: u32) -> u64 {
        let end = if volume == self.tail.volume { self.tail.offset } else { 0 };
        self.pending.first_in(volume).map_or(end, |place| place.offset)
    }

    /// A volume was synced; everything before `offset` had been written when the sync began.
    pub(crate) fn synced(&mut self, volume: u32, offset: u64) {
        if volume == self.tail.volume {
            self.synced_before = self.synced_before.max(offset);
        }
    }

    /// Begins a volume, which seals the one before.
    pub(crate) fn begin_volume(&mut self, number: u32) {
        self.synced_before = 0;
        self.tail = Place { volume: number, offset: VOLUME_DATA_START };
        self.volumes.add(number);
    }

    /// The outcome of a reservation is known.
    pub(crate) fn settle(&mut self, place: Place) -> Outcome {
        self.pending.settle(place)
    }

    /// A reserved write failed. Its record may still be complete on disk, so its space is kept until the volume is compacted:
    /// with a hole in it, a record with a footer would look like a shard with damaged cells.
    pub(crate) fn abandon(&mut self, place: Place) {
        let outcome = self.pending.settle(place);
        if let Some(shard) = outcome.shard
            && !outcome.overtaken
        {
            self.pending.orphan(shard, place);
        }
    }

    /// As [`State::abandon`], for a record whose footer was not begun: with a hole in it, it never passes for whole.
    pub(crate) fn abandon_unfinished(&mut self, place: Place, bytes: u64) {
        self.abandon(place);
        self.free(place, bytes);
    }

    /// The space of a record that died, or never lived, is free.
    pub(crate) fn free(&mut self, place: Place, bytes: u64) {
        self.deaths += 1;
        if let Some(range) = self.volumes.free(place, bytes) {
            self.holes.push(Hole { volume: place.volume, range });
        }
    }

    /// Blocks past the last record of a volume are free.
    pub(crate) fn release(&mut self, volume: u32, range: Range<u64>) {
        if !range.is_empty() {
            self.holes.push(Hole { volume, range });
        }
    }

    /// A shard is on stable storage at `entry.place`; `current` is where it was before.
    pub(crate) fn put(&mut self, shard: ShardId, entry: Entry, current: Option<Entry>) {
        let bytes = entry.header(shard).record_bytes();
        match current {
            Some(current) if current.place == entry.place => return,
            Some(current) if current.place > entry.place => {
                self.free(entry.place, bytes);
                self.volumes.cover(current.place.volume, entry.place.volume);
                return;
            }
            Some(current) => {
                self.kill(shard, &current);
                self.volumes.cover(entry.place.volume, current.place.volume);
            }
            None => {}
        }
        self.end_orphans(shard, entry.place);
        self.shards += 1;
        self.volumes.live(entry.place, bytes);
        self.change(shard, Some(entry));
    }

    /// Whether a copy of the record at `from` may be placed in the log now, if the shard is at `current`. Not while the
    /// shard is being written or deleted: that comes before the copy in the log, and the copy would overrule it.
    pub(crate) fn may_move(&self, shard: ShardId, from: Place, current: Option<Entry>) -> MayMove {
        if self.pending.is_busy(shard) {
            return MayMove::Busy;
        }
        if current.is_some_and(|current| current.place == from) { MayMove::Yes } else { MayMove::Gone }
    }

    /// A copy of the record at `from` is on stable storage at `entry.place`. It counts only if the shard still is at
    /// `from`; returns whether it does.
    pub(crate) fn move_record(&mut self, shard: ShardId, entry: Entry, from: Place, current: Option<Entry>) -> bool {
        if current.is_some_and(|current| current.place == from) {
            self.put(shard, entry, current);
            return true;
        }
        self.free(entry.place, entry.header(shard).record_bytes());
        match current {
            Some(current) => self.volumes.cover(current.place.volume, entry.place.volume),
            None => self.pending.orphan(shard, entry.place),
        }
        false
    }

    /// A tombstone at `place` is on stable storage; `current` is where the shard was before.
    pub(crate) fn delete(&mut self, place: Place, shard: ShardId, current: Option<Entry>) {
        self.end_orphans(shard, place);
        if let Some(current) = current.filter(|c| c.place < place) {
            self.kill(shard, &current);
            self.volumes.cover(place.volume, current.place.volume);
            self.change(shard, None);
        }
    }

    /// Marks the records of `shards` that are being written and are before the tombstone at `place`: they must not be
    /// acknowledged.
    pub(crate) fn overtake(&mut self, place: Place, shards: &BTreeSet<ShardId>) {
        for volume in self.pending.overtake(place, shards) {
            self.volumes.cover(place.volume, volume);
        }
    }

    fn end_orphans(&mut self, shard: ShardId, place: Place) {
        for volume in self.pending.end_orphans(shard, place) {
            self.volumes.cover(place.volume, volume);
        }
    }

    fn kill(&mut self, shard: ShardId, current: &Entry) {
        let bytes = current.header(shard).record_bytes();
        self.shards = self.shards.saturating_sub(1);
        self.volumes.died(current.place, bytes);
        self.free(current.place, bytes);
    }

    fn change(&mut self, shard: ShardId, entry: Option<Entry>) {
        self.recent.remove(&shard);
        self.recent_before.remove(&shard);
        self.overlay.insert(shard, entry);
    }

    pub(crate) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// The holes that are to be punched.
    pub(crate) fn take_holes(&mut self) -> Vec<Hole> {
        std::mem::take(&mut self.holes)
    }

    /// Number of changes that wait for a checkpoint.
    pub(crate) fn changes(&self) -> usize {
        self.overlay.len() + usize::from(self.is_doubt_unsaved)
    }

    /// Nothing before this place is still being written.
    pub(crate) fn position(&self) -> Place {
        self.pending.first().unwrap_or(self.tail)
    }

    /// Whether a volume takes no more records and none is being written in it.
    pub(crate) fn is_sealed(&self, volume: u32) -> bool {
        volume < self.tail.volume && self.pending.first_in(volume).is_none()
    }

    /// Whether metadata has to be compared with the disk.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    pub(crate) fn set_doubt(&mut self, is_in_doubt: bool) {
        self.is_doubt_unsaved |= self.is_in_doubt != is_in_doubt;
        self.is_in_doubt = is_in_doubt;
    }

    /// Sealed volumes without live records and without records that keep older ones dead: their files can go. None as long
    /// as a live record may be among those that did not verify.
    pub(crate) fn dead_volumes(&self) -> Vec<u32> {
        let numbers = self.volumes.iter().map(|(number, _)| number).filter(|_| !self.is_in_doubt);
        numbers.filter(|number| self.is_sealed(*number) && self.volumes.is_dead(*number)).collect()
    }

    /// A checkpoint of everything up to `position`, when the volumes `leaving` are about to go.
    pub(crate) fn checkpoint(&self, identity: &DiskIdentity, position: Place, leaving: BTreeSet<u32>) -> Checkpoint {
        let volumes = self.volumes.rows(&leaving);
        let (shards, orphans, is_in_doubt) = (self.shards, self.pending.orphan_rows(), self.is_in_doubt);
        let contents = CheckpointContents { shards, volumes, leaving, orphans, is_in_doubt };
        Checkpoint::new(identity, position, contents)
    }

    /// The file of a volume was removed.
    pub(crate) fn forget_volume(&mut self, volume: u32) {
        self.volumes.remove(volume);
        self.pending.forget_volume(volume);
    }

    /// Takes the changes for a checkpoint; they stay visible until [`State::thaw`].
    pub(crate) fn freeze(&mut self) -> Arc<Changes> {
        self.is_doubt_unsaved = false;
        self.frozen = Arc::new(std::mem::take(&mut self.overlay));
        Arc::clone(&self.frozen)
    }

    /// The checkpoint has ended. If it failed, its changes wait for the next one.
    pub(crate) fn thaw(&mut self, written: bool) {
        let frozen = std::mem::take(&mut self.frozen);
        if written {
            self.generation += 1;
        } else {
            self.is_doubt_unsaved = true;
            for (shard, entry) in frozen.iter() {
                self.overlay.entry(*shard).or_insert(*entry);
            }
        }
    }

    /// Changes in memory to shards after `after` and up to `until`: what goes on top of a page of the database.
    pub(crate) fn changes_after(&self, after: Option<ShardId>, until: Option<ShardId>) -> Changes {
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
        check(None, false, Known::AskDatabase);
    }
}
