//! Crowded extents: those with more shards in a failure domain than needed.
//!
//! While nodes are away, written and rebuilt shards share the failure domains that are left. When the nodes are back,
//! an extent with two shards on each of two nodes would not survive the loss of both, while one with a shard per node
//! would.

use super::assess::{ExtentView, Wanted, Why, assess};
use super::task::{Task, profile_of};
use crate::cluster_map::{ClusterMap, Disk, Standing};
use crate::id::DiskNumber;
use crate::placement::{Domains, HealthyShard, spreading};

/// Plans the move of one shard of a healthy extent into a failure domain that holds fewer of its shards; `None` if no
/// move helps. Each move lowers the sum of the squared counts per domain, so moves come to an end.
pub fn spread(map: &ClusterMap, domains: &Domains<'_>, extent: ExtentView<'_>) -> Option<Task> {
    let profile = profile_of(map, extent);
    let disks: Vec<DiskNumber> = extent.locations.iter().flatten().copied().collect();
    if !domains.may_spread(map, profile.failure_domain, &disks) {
        return None;
    }
    let standing = assess(map, extent, &[]);
    if standing.is_at_risk() || !standing.wanted.is_empty() {
        // Missing shards go first, and may be placed apart at once.
        return None;
    }
    let stays = |disk: &Disk| disk.standing == Standing::Member;
    (0u8..).zip(disks.iter().copied()).find_map(|(index, from)| {
        let others: Vec<DiskNumber> = disks.iter().copied().filter(|disk| *disk != from).collect();
        let target = spreading(map, &profile, extent.id, HealthyShard { on: from, others: &others }, stays)?;
        let wanted = Wanted { index, from: Some(from), why: Why::Crowded };
        Some(Task::relocate(map, extent, wanted, target))
    })
}

#[cfg(test)]
mod tests {
    use super::super::assess::tests::{map, on, view};
    use super::*;
    use crate::cluster_map::DiskState::{self, Active, Failed, Full, Unavailable};
    use crate::id::NodeId;
    use crate::profile::FailureDomain;

    /// Disks 1, 2, … in these states, two on each node.
    fn pairs(states: &[DiskState]) -> ClusterMap {
        let mut map = map(states);
        for (at, disk) in map.disks.iter_mut().enumerate() {
            disk.node = NodeId::from_bytes([at as u8 / 2 * 2 + 1; 16]);
        }
        for profile in &mut map.profiles {
            profile.failure_domain = FailureDomain::Node;
        }
        map
    }

    /// Makes all moves; returns the final locations and the number of moves.
    fn settle(map: &ClusterMap, disks: &[u32]) -> (Vec<u32>, usize) {
        let (mut locations, mut moves) = (on(disks), 0);
        let domains = Domains::of(map);
        while let Some(task) = spread(map, &domains, view(&locations)) {
            assert!(task.why.moves() && task.sources[0].0 == task.shard.index, "{task:?}");
            locations[usize::from(task.shard.index)] = Some(task.target);
            moves += 1;
        }
        (locations.iter().map(|disk| disk.map_or(0, |disk| disk.0)).collect(), moves)
    }

    /// Shards on each node, the most first.
    fn per_node(disks: &[u32]) -> Vec<usize> {
        let mut counts = [0; 8];
        for disk in disks {
            counts[(*disk as usize - 1) / 2] += 1;
        }
        let mut counts: Vec<usize> = counts.into_iter().filter(|count| *count > 0).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    }

    #[test]
    fn shards_spread_as_far_as_nodes_allow() {
        for (nodes, before, after, moves) in [
            (6, [1, 2, 3, 4, 5, 7], &[1; 6][..], 2),
            (6, [1, 2, 3, 4, 5, 6], &[1; 6], 3),
            (5, [1, 2, 3, 4, 5, 6], &[2, 1, 1, 1, 1], 2),
            (4, [1, 2, 3, 4, 5, 6], &[2, 2, 1, 1], 1),
            (3, [1, 2, 3, 4, 5, 6], &[2, 2, 2], 0),
            (6, [1, 3, 5, 7, 9, 11], &[1; 6], 0),
        ] {
            let (disks, made) = settle(&pairs(&vec![Active; nodes * 2]), &before);
            assert_eq!((per_node(&disks).as_slice(), made), (after, moves), "{nodes} nodes, {before:?}");
        }
    }

    #[test]
    fn healthy_extents_spread_where_there_is_room() {
        let crowded = [1, 2, 3, 4, 5, 7];
        let with = |from: usize, state| {
            let mut states = [Active; 12];
            states[from..].fill(state);
            settle(&pairs(&states), &crowded).1
        };
        assert_eq!(with(8, Full), 0, "no room elsewhere");
        assert_eq!(with(8, Unavailable), 0, "nodes that are away");
        assert_eq!(with(10, Failed), 1, "one node more");
        let mut states = [Active; 12];
        states[4..8].fill(Full);
        assert_eq!(settle(&pairs(&states), &crowded).1, 2, "two that hold shards take no more, and two others do");
        let mut states = [Active; 12];
        states[0] = Unavailable;
        assert_eq!(settle(&pairs(&states), &crowded).1, 0, "a shard cannot be read");
    }
}
