//! The condition of an extent.

use crate::cluster_map::ClusterMap;
use crate::geometry::Geometry;
use crate::id::{DiskNumber, ExtentId, Generation, ProfileId};

/// An extent as its row in the metadata has it.
#[derive(Debug, Clone, Copy)]
pub struct ExtentView<'a> {
    /// Names the extent.
    pub id: ExtentId,
    /// What it was coded under.
    pub profile: ProfileId,
    /// How it is cut into cells.
    pub geometry: &'a Geometry,
    /// Counts changes of the locations: a plan holds for this one only (I11).
    pub generation: Generation,
    /// A disk per shard.
    pub locations: &'a [Option<DiskNumber>],
}

/// Why a shard has to be rebuilt or moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It was never written, or its disk is gone for good.
    Lost,
    /// Its disk does not hold it, or holds something that does not verify.
    Bad,
    /// Its disk is being drained, and can still be read.
    Leaving,
    /// Its disk holds more than its share: see [`crate::rebalance`].
    Uneven,
    /// Its failure domain holds more shards of the extent than needed: see [`super::spread`].
    Crowded,
}

impl Why {
    /// Whether the shard is healthy and only moves.
    pub const fn moves(self) -> bool {
        matches!(self, Self::Leaving | Self::Uneven | Self::Crowded)
    }
}

/// A shard that has to be rebuilt or moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its index in the extent.
    pub index: u8,
    /// Where metadata places it now.
    pub from: Option<DiskNumber>,
    /// The cause.
    pub why: Why,
}

/// The condition of an extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Shards that can be read, as far as is known.
    pub readable: u8,
    /// Shards needed, `k`.
    pub needed: u8,
    /// All shards, `k+m`.
    pub total: u8,
    /// Shards to rebuild or move. Excludes those on a disk that is away and may return.
    pub wanted: Vec<Wanted>,
}

impl Assessment {
    /// Further losses that the extent survives; `None` if it cannot be read at present.
    pub fn spare(&self) -> Option<u8> {
        self.readable.checked_sub(self.needed)
    }

    /// Whether fewer shards can be read than should exist.
    pub fn is_at_risk(&self) -> bool {
        self.readable < self.total
    }

    /// Whether fewer than `k` shards can be read. Nothing is deleted then, and the extent recovers when disks return
    /// (I8).
    pub fn is_lost(&self) -> bool {
        self.readable < self.needed
    }
}

/// Assesses an extent. `reported` lists the indexes of shards that were found bad.
pub fn assess(map: &ClusterMap, extent: ExtentView<'_>, reported: &[u8]) -> Assessment {
    let mut assessment = Assessment {
        readable: 0,
        needed: extent.geometry.data_shards,
        total: extent.geometry.total_shards(),
        wanted: Vec::new(),
    };
    for (index, from) in (0u8..).zip(extent.locations.iter().copied()) {
        let disk = from.and_then(|number| map.disk(number));
        let why = match disk {
            None => Some(Why::Lost),
            Some(disk) if reported.contains(&index) => Some(if disk.state.serves() { Why::Bad } else { Why::Lost }),
            Some(disk) if disk.state.serves() => {
                assessment.readable += 1;
                disk.is_leaving().then_some(Why::Leaving)
            }
            Some(disk) => disk.is_leaving().then_some(Why::Lost),
        };
        assessment.wanted.extend(why.map(|why| Wanted { index, from, why }));
    }
    assessment
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cluster_map::{Disk, DiskState, Labels, Node, Standing};
    use crate::id::{ClusterId, DiskId, NodeId, SessionId};
    use crate::profile::{FailureDomain, Profile};
    use crate::release::Release;

    /// Disks 1, 2, … in these states, each on a node of its own.
    pub(in crate::repair) fn map(states: &[DiskState]) -> ClusterMap {
        let profiles = Profile::defaults(FailureDomain::Node);
        let mut map = ClusterMap::empty(ClusterId::from_bytes([1; 16]), profiles);
        for (number, state) in (1u32..).zip(states) {
            let node = NodeId::from_bytes([number as u8; 16]);
            let name = format!("node{number}");
            map.nodes.push(Node {
                id: node,
                name,
                rpc_addr: String::new(),
                labels: Labels::default(),
                release: Release::current(),
            });
            map.disks.push(Disk {
                number: DiskNumber(number),
                id: DiskId::from_bytes([number as u8; 16]),
                node,
                path: String::new(),
                capacity_bytes: 100,
                state: *state,
                standing: if *state == DiskState::Draining { Standing::Draining } else { Standing::Member },
            });
        }
        map
    }

    pub(in crate::repair) const GEOMETRY: Geometry =
        Geometry { data_shards: 4, parity_shards: 2, cell_bytes: 65_536, length: 1 << 20 };

    /// Shard `i` on disk `i + 1`, but none where the disk is 0.
    pub(in crate::repair) fn on(disks: &[u32]) -> Vec<Option<DiskNumber>> {
        disks.iter().map(|disk| (*disk > 0).then_some(DiskNumber(*disk))).collect()
    }

    /// An extent of profile 2, under which all of these tests code.
    pub(in crate::repair) fn view(locations: &[Option<DiskNumber>]) -> ExtentView<'_> {
        let id = ExtentId::new(SessionId(1), 0);
        ExtentView { id, profile: ProfileId(2), geometry: &GEOMETRY, generation: Generation(3), locations }
    }

    fn check(states: &[DiskState], disks: &[u32], reported: &[u8], readable: u8, wanted: &[(u8, Why)]) {
        let locations = on(disks);
        let found = assess(&map(states), view(&locations), reported);
        let got: Vec<_> = found.wanted.iter().map(|w| (w.index, w.why)).collect();
        assert_eq!((found.readable, got.as_slice()), (readable, wanted), "{states:?} {disks:?} {reported:?}");
    }

    #[test]
    fn lost_bad_and_leaving_shards_are_wanted() {
        use DiskState::{Active, Draining, Failed, Full, Quarantined, Suspect, Unavailable};
        const ALL: [u32; 6] = [1, 2, 3, 4, 5, 6];
        check(&[Active, Full, Suspect, Quarantined, Active, Active], &ALL, &[], 6, &[]);
        check(&[Unavailable, Active, Active, Active, Active, Active], &ALL, &[], 5, &[]);
        check(&[Failed, Draining, Active, Active, Active, Active], &ALL, &[], 5, &[(0, Why::Lost), (1, Why::Leaving)]);
        check(&[Active; 6], &[1, 0, 3, 4, 5, 6], &[3, 5], 3, &[(1, Why::Lost), (3, Why::Bad), (5, Why::Bad)]);
        check(&[Failed, Unavailable, Unavailable, Active, Active, Active], &ALL, &[], 3, &[(0, Why::Lost)]);
    }
}
