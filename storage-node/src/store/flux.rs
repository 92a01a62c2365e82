//! Records whose fate is open: what is being written, and what may be on disk although its write failed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cairn_core::shard::ShardId;

use super::base::GhostRow;
use crate::format::Place;

/// Ghosts that are remembered; beyond it the oldest is forgotten. If one comes back then, the collector deletes it
/// once more.
const GHOSTS_MAX: usize = 65_536;

/// What a reservation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
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
    /// A deletion overtook the shard: it must not be confirmed.
    overtaken: bool,
}

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    /// The shard that was being written, if it was one.
    pub(super) shard: Option<ShardId>,
    /// Whether it was deleted meanwhile.
    pub(super) overtaken: bool,
}

/// Reservations and ghosts.
#[derive(Debug, Default)]
pub(super) struct Flux {
    reservations: BTreeMap<Place, Reservation>,
    /// In how many reservations each shard is named.
    busy: HashMap<ShardId, u32>,
    /// Records that were given up, whose bytes may be whole on disk and would count if the log were read again. A
    /// deletion of such a shard needs a tombstone although the index knows nothing of it.
    ghosts: BTreeSet<(ShardId, Place)>,
}

impl Flux {
    pub(super) fn restore(ghosts: &[GhostRow]) -> Self {
        let place = |ghost: &GhostRow| Place { volume: ghost.volume, offset: ghost.offset };
        Self { ghosts: ghosts.iter().map(|g| (g.shard, place(g))).collect(), ..Self::default() }
    }

    pub(super) fn reserve(&mut self, place: Place, purpose: Purpose) {
        for shard in purpose.shards() {
            *self.busy.entry(*shard).or_default() += 1;
        }
        self.reservations.insert(place, Reservation { purpose, overtaken: false });
    }

    /// The fate of a reservation is known.
    pub(super) fn settle(&mut self, place: Place) -> Settled {
        let Some(reservation) = self.reservations.remove(&place) else {
            return Settled { shard: None, overtaken: false };
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
        Settled { shard, overtaken: reservation.overtaken }
    }

    /// Everything before this place is settled, if anything is not.
    pub(super) fn first(&self) -> Option<Place> {
        self.reservations.keys().next().copied()
    }

    /// The first place in a volume that is not settled, if there is one.
    pub(super) fn first_in(&self, volume: u32) -> Option<Place> {
        let from = Place { volume, offset: 0 };
        self.reservations.range(from..).next().map(|(place, _)| *place).filter(|place| place.volume == volume)
    }

    /// Whether a shard is being written, moved or deleted right now.
    pub(super) fn is_busy(&self, shard: ShardId) -> bool {
        self.busy.contains_key(&shard)
    }

    /// Those of `shards` that are being written right now, or may have been.
    pub(super) fn maybe_written(&self, shards: &BTreeSet<ShardId>) -> BTreeSet<ShardId> {
        let mut found: BTreeSet<ShardId> = BTreeSet::new();
        let written = self.reservations.values().filter_map(|r| match r.purpose {
            Purpose::Shard(shard) => Some(shard),
            Purpose::Tombstone(_) => None,
        });
        found.extend(written.filter(|shard| shards.contains(shard)));
        if !self.ghosts.is_empty() {
            found.extend(shards.iter().filter(|shard| self.ghosts_of(**shard).next().is_some()));
        }
        found
    }

    /// Marks the records of `shards` that are still being written and lie before the tombstone at `place`. Returns
    /// their volumes.
    pub(super) fn overtake(&mut self, place: Place, shards: &BTreeSet<ShardId>) -> BTreeSet<u32> {
        let mut older = BTreeSet::new();
        for (at, reservation) in self.reservations.range_mut(..place) {
            if matches!(&reservation.purpose, Purpose::Shard(shard) if shards.contains(shard)) {
                reservation.overtaken = true;
                older.insert(at.volume);
            }
        }
        older
    }

    fn ghosts_of(&self, shard: ShardId) -> impl Iterator<Item = Place> {
        let all = Place { volume: 0, offset: 0 }..=Place { volume: u32::MAX, offset: u64::MAX };
        self.ghosts.range((shard, *all.start())..=(shard, *all.end())).map(|(_, place)| *place)
    }

    /// A record of `shard` was given up, whose bytes may be whole on disk.
    pub(super) fn haunt(&mut self, shard: ShardId, place: Place) {
        self.ghosts.insert((shard, place));
        while self.ghosts.len() > GHOSTS_MAX
            && let Some(oldest) = self.ghosts.iter().min_by_key(|(_, place)| *place).copied()
        {
            self.ghosts.remove(&oldest);
        }
    }

    /// A record or a tombstone at `place` ends the ghosts of `shard` that lie before it. Returns their volumes.
    pub(super) fn exorcise(&mut self, shard: ShardId, place: Place) -> BTreeSet<u32> {
        if self.ghosts.is_empty() {
            return BTreeSet::new();
        }
        let ended: Vec<Place> = self.ghosts_of(shard).filter(|ghost| *ghost < place).collect();
        for ghost in &ended {
            self.ghosts.remove(&(shard, *ghost));
        }
        ended.into_iter().map(|ghost| ghost.volume).collect()
    }

    /// A volume is gone, and its ghosts with it.
    pub(super) fn forget_volume(&mut self, volume: u32) {
        self.ghosts.retain(|(_, place)| place.volume != volume);
    }

    /// The ghosts, for a checkpoint.
    pub(super) fn ghost_rows(&self) -> Vec<GhostRow> {
        let row =
            |(shard, place): &(ShardId, Place)| GhostRow { shard: *shard, volume: place.volume, offset: place.offset };
        self.ghosts.iter().map(row).collect()
    }
}
