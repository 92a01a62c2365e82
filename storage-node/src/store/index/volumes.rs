//! The accounts of a disk's volumes: what lives in each, what each keeps dead, which may go.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::checkpoint::VolumeRow;
use super::dead_ranges::DeadRanges;
use crate::format::{Place, VOLUME_DATA_START};

/// The accounts of one volume.
#[derive(Debug, Default)]
pub(crate) struct Volume {
    pub(crate) live_records: u64,
    pub(crate) live_bytes: u64,
    pub(crate) tombstone_bytes: u64,
    /// Where the last record ends.
    pub(crate) end: u64,
    /// Older volumes with records that this one's records keep dead.
    pub(crate) covers: BTreeSet<u32>,
    dead: DeadRanges,
}

impl Volume {
    /// Bytes between the header and the end of the last record.
    pub(crate) fn data_bytes(&self) -> u64 {
        self.end.saturating_sub(VOLUME_DATA_START)
    }
}

/// All volumes, by number.
#[derive(Debug, Default)]
pub(crate) struct Volumes {
    all: BTreeMap<u32, Volume>,
}

impl Volumes {
    pub(crate) fn restore(rows: Vec<VolumeRow>) -> Self {
        let volume = |row: VolumeRow| {
            let VolumeRow { number, live_records, covers, live_bytes, tombstone_bytes, end } = row;
            let dead = DeadRanges::default();
            (number, Volume { live_records, live_bytes, tombstone_bytes, end, covers, dead })
        };
        Self { all: rows.into_iter().map(volume).collect() }
    }

    /// Adds a volume, unless it is known.
    pub(crate) fn add(&mut self, number: u32) -> &mut Volume {
        self.all.entry(number).or_default()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Volume> {
        self.all.get(&number)
    }

    pub(crate) fn remove(&mut self, number: u32) {
        self.all.remove(&number);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Volume)> {
        self.all.iter().map(|(number, volume)| (*number, volume))
    }

    /// A record was reserved or found: the volume reaches at least to its end.
    pub(crate) fn reach(&mut self, place: Place, bytes: u64) {
        let volume = self.add(place.volume);
        volume.end = volume.end.max(place.offset + bytes);
    }

    pub(crate) fn live(&mut self, place: Place, bytes: u64) {
        let volume = self.add(place.volume);
        volume.live_records += 1;
        volume.live_bytes += bytes;
    }

    pub(crate) fn died(&mut self, place: Place, bytes: u64) {
        if let Some(volume) = self.all.get_mut(&place.volume) {
            volume.live_records = volume.live_records.saturating_sub(1);
            volume.live_bytes = volume.live_bytes.saturating_sub(bytes);
        }
    }

    pub(crate) fn tombstone(&mut self, place: Place, bytes: u64) {
        self.add(place.volume).tombstone_bytes += bytes;
    }

    /// The space of a dead record is free; returns the whole blocks that can be punched.
    pub(crate) fn free(&mut self, place: Place, bytes: u64) -> Option<Range<u64>> {
        let volume = self.all.get_mut(&place.volume)?;
        let range = volume.dead.add(place.offset..place.offset + bytes);
        (!range.is_empty()).then_some(range)
    }

    /// Records in `newer` keep records in `older` dead.
    pub(crate) fn cover(&mut self, newer: u32, older: u32) {
        if newer != older {
            self.add(newer).covers.insert(older);
        }
    }

    /// The volumes that exist and have records that those of `number` keep dead.
    pub(crate) fn covered_by(&self, number: u32) -> BTreeSet<u32> {
        let covers = self.all.get(&number).map(|volume| &volume.covers);
        covers.into_iter().flatten().copied().filter(|older| self.all.contains_key(older)).collect()
    }

    /// Newer volumes have taken over everything that `number` held: they keep dead what it kept dead.
    pub(crate) fn retire(&mut self, number: u32) {
        let covered = self.covered_by(number);
        for (heir, volume) in self.all.range_mut(number + 1..) {
            if volume.covers.contains(&number) {
                volume.covers.extend(covered.iter().filter(|older| *older != heir));
            }
        }
        if let Some(volume) = self.all.get_mut(&number) {
            volume.covers.clear();
        }
    }

    /// Whether a volume has no live record and keeps nothing dead.
    pub(crate) fn is_dead(&self, number: u32) -> bool {
        self.all.get(&number).is_some_and(|volume| volume.live_records == 0) && self.covered_by(number).is_empty()
    }

    /// The rows for a checkpoint, without the volumes `gone`.
    pub(crate) fn rows(&self, gone: &BTreeSet<u32>) -> Vec<VolumeRow> {
        let kept = self.iter().filter(|(number, _)| !gone.contains(number));
        kept.map(|(number, volume)| VolumeRow {
            number,
            live_records: volume.live_records,
            covers: self.covered_by(number),
            live_bytes: volume.live_bytes,
            tombstone_bytes: volume.tombstone_bytes,
            end: volume.end,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_goes_only_when_what_it_keeps_dead_is_gone() {
        let mut volumes = Volumes::default();
        for (newer, older) in [(2, 1), (3, 2)] {
            volumes.add(older);
            volumes.cover(newer, older);
        }
        let dead = |volumes: &Volumes| (1..=3).filter(|n| volumes.is_dead(*n)).collect::<Vec<_>>();
        assert_eq!(dead(&volumes), [1]);
        volumes.remove(1);
        assert_eq!(dead(&volumes), [2]);
    }

    #[test]
    fn the_heirs_of_a_retired_volume_keep_dead_what_it_kept_dead() {
        let mut volumes = Volumes::default();
        for (newer, older) in [(2, 1), (3, 2), (5, 4)] {
            volumes.add(older);
            volumes.cover(newer, older);
        }
        volumes.live(Place { volume: 1, offset: 4096 }, 512);
        volumes.retire(2);
        assert!(volumes.is_dead(2));
        assert_eq!(volumes.covered_by(3), BTreeSet::from([1, 2]));
        volumes.remove(2);
        assert!(!volumes.is_dead(3) && volumes.covered_by(5) == BTreeSet::from([4]));
    }
}
