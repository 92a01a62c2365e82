//! Pending records: reservations, which are being written, and orphans, which may be whole on disk although their write
//! failed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cairn_core::shard::ShardId;

use super::checkpoint::OrphanRow;
use crate::format::Place;

/// Orphans that are remembered; beyond it the oldest is forgotten. If that one comes back, the collector deletes it again.
const ORPHANS_MAX: usize = 65_536;

/// What a reservation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A shard.
    Shard(ShardId),
    /// Deletions of these shards.
    Tombstone(Vec<ShardId>),
}

impl Purpose {
    fn shards(&self) -> &[ShardId] {
        match self {
            Self::Shard(shard) => std::slice::from_ref(shard),
            Self::Tombstone(shards) => shards,
        }
    }
}

#[derive(Debug)]
struct Reservation {
    purpose: Purpose,
    /// The shard was deleted meanwhile: the write must not be acknowledged.
    overtaken: bool,
}

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The shard that was being written, if it was one.
    pub(crate) shard: Option<ShardId>,
    /// Whether it was deleted meanwhile.
    pub(crate) overtaken: bool,
}

/// The pending records of a disk.
#[derive(Debug, Default)]
pub(crate) struct PendingRecords {
    reservations: BTreeMap<Place, Reservation>,
    /// In how many reservations each shard is named.
    busy: HashMap<ShardId, u32>,
    /// Records of failed writes whose bytes may be whole on disk, and would count if the log were replayed. Deleting such
    /// a shard takes a tombstone although the index does not know it.
    orphans: BTreeSet<(ShardId, Place)>,
}

impl PendingRecords {
    pub(crate) fn restore(orphans: &[OrphanRow]) -> Self {
        let place = |orphan: &OrphanRow| Place { volume: orphan.volume, offset: orphan.offset };
        Self { orphans: orphans.iter().map(|g| (g.shard, place(g))).collect(), ..Self::default() }
    }

    pub(crate) fn reserve(&mut self, place: Place, purpose: Purpose) {
        for shard in purpose.shards() {
            *self.busy.entry(*shard).or_default() += 1;
        }
        self.reservations.insert(place, Reservation { purpose, overtaken: false });
    }

    /// The outcome of a reservation is known.
    pub(crate) fn settle(&mut self, place: Place) -> Outcome {
        let Some(reservation) = self.reservations.remove(&place) else {
            return Outcome { shard: None, overtaken: false };
        };
        for shard in reservation.purpose.shards() {
            if let Some(count) = self.busy.get_mut(shard) {
                *count -= 1;
                if *count == 0 {
                    self.busy.remove(shard);
                }
            }
        }
        let shard = match reservation.purpose {
            Purpose::Shard(shard) => Some(shard),
            Purpose::Tombstone(_) => None,
        };
        Outcome { shard, overtaken: reservation.overtaken }
    }

    /// The first place that is still reserved.
    pub(crate) fn first(&self) -> Option<Place> {
        self.reservations.keys().next().copied()
    }

    /// The first place in a volume that is still reserved.
    pub(crate) fn first_in(&self, volume: u32) -> Option<Place> {
        let from = Place { volume, offset: 0 };
        self.reservations.range(from..).next().map(|(place, _)| *place).filter(|place| place.volume == volume)
    }

    /// Whether a shard is being written, moved or deleted right now.
    pub(crate) fn is_busy(&self, shard: ShardId) -> bool {
        self.busy.contains_key(&shard)
    }

    /// Those of `shards` that are being written, or may have been written.
    pub(crate) fn maybe_written(&self, shards: &BTreeSet<ShardId>) -> BTreeSet<ShardId> {
        let mut found: BTreeSet<ShardId> = BTreeSet::new();
        let written = self.reservations.values().filter_map(|r| match r.purpose {
            Purpose::Shard(shard) => Some(shard),
            Purpose::Tombstone(_) => None,
        });
        found.extend(written.filter(|shard| shards.contains(shard)));
        if !self.orphans.is_empty() {
            found.extend(shards.iter().filter(|shard| self.orphans_of(**shard).next().is_some()));
        }
        found
    }

    /// Marks the records of `shards` that are being written and are before the tombstone at `place`. Returns their
    /// volumes.
    pub(crate) fn overtake(&mut self, place: Place, shards: &BTreeSet<ShardId>) -> BTreeSet<u32> {
        let mut older = BTreeSet::new();
        for (at, reservation) in self.reservations.range_mut(..place) {
            if matches!(&reservation.purpose, Purpose::Shard(shard) if shards.contains(shard)) {
                reservation.overtaken = true;
                older.insert(at.volume);
            }
        }
        older
    }

    fn orphans_of(&self, shard: ShardId) -> impl Iterator<Item = Place> {
        let all = Place { volume: 0, offset: 0 }..=Place { volume: u32::MAX, offset: u64::MAX };
        self.orphans.range((shard, *all.start())..=(shard, *all.end())).map(|(_, place)| *place)
    }

    /// The write of a record failed; its bytes may be whole on disk.
    pub(crate) fn orphan(&mut self, shard: ShardId, place: Place) {
        self.orphans.insert((shard, place));
        while self.orphans.len() > ORPHANS_MAX
            && let Some(oldest) = self.orphans.iter().min_by_key(|(_, place)| *place).copied()
        {
            self.orphans.remove(&oldest);
        }
    }

    /// A record or a tombstone at `place` overrules the orphans of `shard` before it. Returns their volumes.
    pub(crate) fn end_orphans(&mut self, shard: ShardId, place: Place) -> BTreeSet<u32> {
        if self.orphans.is_empty() {
            return BTreeSet::new();
        }
        let ended: Vec<Place> = self.orphans_of(shard).filter(|orphan| *orphan < place).collect();
        for orphan in &ended {
            self.orphans.remove(&(shard, *orphan));
        }
        ended.into_iter().map(|orphan| orphan.volume).collect()
    }

    /// A volume was removed, and its orphans with it.
    pub(crate) fn forget_volume(&mut self, volume: u32) {
        self.orphans.retain(|(_, place)| place.volume != volume);
    }

    pub(crate) fn orphan_rows(&self) -> Vec<OrphanRow> {
        let row =
            |(shard, place): &(ShardId, Place)| OrphanRow { shard: *shard, volume: place.volume, offset: place.offset };
        self.orphans.iter().map(row).collect()
    }
}
