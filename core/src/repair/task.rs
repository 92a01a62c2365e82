//! One rebuild: which shard, where, and from which sources.

use super::assess::{ExtentView, Wanted, Why};
use crate::cluster_map::{ClusterMap, Disk, DiskState, Standing};
use crate::geometry::Geometry;
use crate::id::{DiskNumber, Generation, NodeId, ProfileId};
use crate::placement::{NoReplacement, replacement};
use crate::profile::{FailureDomain, Profile};
use crate::shard::{ShardId, body_bytes};

/// An order to rebuild one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The shard.
    pub shard: ShardId,
    /// Why the shard is wanted.
    pub why: Why,
    /// The profile of its extent.
    pub profile: ProfileId,
    /// The shape of its extent.
    pub geometry: Geometry,
    /// The generation of the extent's locations for which the plan was made (I11).
    pub generation: Generation,
    /// Where metadata places the shard now.
    pub from: Option<DiskNumber>,
    /// Where it will be.
    pub target: DiskNumber,
    /// The node of the target.
    pub node: NodeId,
    /// Readable shards with their disks, best first. The shard itself comes first if its disk still holds it.
    pub sources: Vec<(u8, DiskNumber)>,
    /// Further losses that the extent survives. The fewer, the more urgent.
    pub spare: u8,
}

/// Why a wanted shard cannot be rebuilt now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// Fewer than `k` shards can be read. The task waits for disks to return (I8).
    #[error("{readable} shards can be read, {needed} are needed")]
    Lost {
        /// Readable shards.
        readable: u8,
        /// Needed shards.
        needed: u8,
    },
    /// No disk may take it.
    #[error(transparent)]
    NoPlace(#[from] NoReplacement),
}

impl Task {
    /// Bytes that the rebuild writes.
    pub fn bytes(&self) -> u64 {
        body_bytes(&self.geometry)
    }

    /// Plans the rebuild of one shard. `reported` lists the indexes of shards that were found bad.
    pub fn plan(map: &ClusterMap, extent: ExtentView<'_>, wanted: Wanted, reported: &[u8]) -> Result<Self, Blocked> {
        let sources = sources(map, extent, reported);
        let needed = extent.geometry.data_shards;
        let readable = sources.len() as u8;
        if readable < needed {
            return Err(Blocked::Lost { readable, needed });
        }
        let target = target(map, extent, wanted)?;
        Ok(Self::assemble(map, extent, wanted, target, sources))
    }

    /// The move of a healthy shard to `target`, which placement allows.
    pub fn relocate(map: &ClusterMap, extent: ExtentView<'_>, wanted: Wanted, target: DiskNumber) -> Self {
        Self::assemble(map, extent, wanted, target, sources(map, extent, &[]))
    }

    fn assemble(
        map: &ClusterMap,
        extent: ExtentView<'_>,
        wanted: Wanted,
        target: DiskNumber,
        mut sources: Vec<(u8, DiskNumber)>,
    ) -> Self {
        let spare = (sources.len() as u8).saturating_sub(extent.geometry.data_shards);
        if let Some(own) = sources.iter().position(|(index, _)| *index == wanted.index) {
            sources[..=own].rotate_right(1);
        }
        Self {
            shard: ShardId { extent: extent.id, index: wanted.index },
            why: wanted.why,
            profile: extent.profile,
            geometry: *extent.geometry,
            generation: extent.generation,
            from: wanted.from,
            node: map.disk(target).map_or(NodeId::from_bytes([0; 16]), |disk| disk.node),
            target,
            sources,
            spare,
        }
    }
}

/// The readable shards. Suspect and quarantined disks come last. For the rest, extents differ in which disk they ask
/// first, so that all disks share the load.
fn sources(map: &ClusterMap, extent: ExtentView<'_>, reported: &[u8]) -> Vec<(u8, DiskNumber)> {
    let mut sources: Vec<(bool, u64, u8, DiskNumber)> = Vec::new();
    for (index, location) in (0u8..).zip(extent.locations) {
        let disk = location.and_then(|number| map.disk(number)).filter(|disk| disk.state.serves());
        let Some(disk) = disk.filter(|_| !reported.contains(&index)) else { continue };
        let in_doubt = matches!(disk.state, DiskState::Suspect | DiskState::Quarantined);
        let turn = u64::from(index).wrapping_add(extent.id.counter) % u64::from(extent.geometry.total_shards().max(1));
        sources.push((in_doubt, turn, index, disk.number));
    }
    sources.sort_unstable();
    sources.into_iter().map(|(_, _, index, disk)| (index, disk)).collect()
}

/// A bad shard is rebuilt where it is, if its disk takes shards; placement chooses the disk of every other.
fn target(map: &ClusterMap, extent: ExtentView<'_>, wanted: Wanted) -> Result<DiskNumber, NoReplacement> {
    let takes = |disk: &&Disk| disk.state.takes_shards() && disk.standing == Standing::Member;
    if let Some(disk) = wanted.from.and_then(|from| map.disk(from)).filter(takes)
        && wanted.why == Why::Bad
    {
        return Ok(disk.number);
    }
    // A shard that is leaving takes no room in its domain.
    let stays = |number: &DiskNumber| map.disk(*number).is_some_and(|disk| !disk.is_leaving());
    let others = (0u8..).zip(extent.locations).filter(|(index, _)| *index != wanted.index);
    let others: Vec<DiskNumber> = others.filter_map(|(_, location)| *location).filter(stays).collect();
    replacement(map, &profile_of(map, extent), extent.id, &others, |disk| Some(disk.number) != wanted.from)
}

/// The extent's profile. If the map no longer has it, one of the extent's shape with the failure domain of the others.
pub(crate) fn profile_of(map: &ClusterMap, extent: ExtentView<'_>) -> Profile {
    let (id, geometry) = (extent.profile, extent.geometry);
    map.profile(id).copied().unwrap_or(Profile {
        id,
        data_shards: geometry.data_shards,
        parity_shards: geometry.parity_shards,
        cell_bytes: geometry.cell_bytes,
        write_quorum: geometry.data_shards,
        failure_domain: map.profiles.first().map_or(FailureDomain::Disk, |profile| profile.failure_domain),
    })
}

#[cfg(test)]
mod tests {
    use super::super::assess::assess;
    use super::super::assess::tests::{map, on, view};
    use super::*;
    use DiskState::{Active, Draining, Failed, Suspect, Unavailable};

    /// A shard, its target, and its sources.
    type Plan = (u8, u32, Vec<u8>);

    /// The plans for the wanted shards of an extent, or why there is none.
    fn plans(states: &[DiskState], disks: &[u32], reported: &[u8]) -> Vec<Result<Plan, Blocked>> {
        let (map, locations) = (map(states), on(disks));
        let view = view(&locations);
        let plan = |wanted| {
            let task = Task::plan(&map, view, wanted, reported)?;
            Ok((task.shard.index, task.target.0, task.sources.iter().map(|(index, _)| *index).collect()))
        };
        assess(&map, view, reported).wanted.into_iter().map(plan).collect()
    }

    const ALL: [u32; 6] = [1, 2, 3, 4, 5, 6];

    #[test]
    fn a_lost_shard_goes_to_the_free_disk() {
        let states = [Failed, Active, Active, Suspect, Active, Active, Active];
        assert_eq!(plans(&states, &ALL, &[]), [Ok((0, 7, vec![1, 2, 4, 5, 3]))], "a suspect disk is asked last");
    }

    #[test]
    fn a_bad_shard_is_rebuilt_where_it_is() {
        assert_eq!(plans(&[Active; 7], &ALL, &[2]), [Ok((2, 3, vec![0, 1, 3, 4, 5]))]);
    }

    #[test]
    fn a_leaving_shard_is_copied_from_its_own_disk_first() {
        let states = [Active, Active, Draining, Active, Active, Active, Active];
        assert_eq!(plans(&states, &ALL, &[]), [Ok((2, 7, vec![2, 0, 1, 3, 4, 5]))]);
    }

    #[test]
    fn a_task_waits_without_a_free_disk_or_enough_shards() {
        let no_place = plans(&[Failed, Active, Active, Active, Active, Active], &ALL, &[]);
        assert!(matches!(no_place.as_slice(), [Err(Blocked::NoPlace(_))]), "{no_place:?}");
        let states = [Failed, Failed, Unavailable, Active, Active, Active, Active];
        let lost = plans(&states, &ALL, &[]);
        let waits = || Err(Blocked::Lost { readable: 3, needed: 4 });
        assert_eq!(lost, [waits(), waits()], "I8");
    }
}
