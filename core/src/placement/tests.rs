use super::*;
use crate::cluster_map::{DiskState, Standing};
use crate::id::{ClusterId, DiskId, Epoch, ProfileId, SessionId};
use crate::release::Release;
use proptest::prelude::*;
use std::collections::HashSet;

/// A map of one zone label per node; `nodes[i]` lists the capacities of node `i`'s disks.
fn map(nodes: &[(&str, &[u64])]) -> ClusterMap {
    let mut map = ClusterMap::empty(ClusterId::from_bytes([1; 16]), vec![]);
    map.epoch = Epoch(7);
    for (i, (zone, disks)) in nodes.iter().enumerate() {
        let id = NodeId::from_bytes([i as u8; 16]);
        let labels = Labels { zone: (*zone).into(), rack: String::new() };
        map.nodes.push(Node {
            id,
            name: format!("node{i}"),
            rpc_addr: String::new(),
            labels,
            release: Release::current(),
        });
        for capacity in *disks {
            let number = DiskNumber(map.disks.len() as u32 + 1);
            map.disks.push(Disk {
                number,
                id: DiskId::from_bytes([number.0 as u8; 16]),
                node: id,
                path: String::new(),
                capacity_bytes: *capacity,
                state: DiskState::Active,
                standing: Standing::Member,
            });
        }
    }
    map
}

fn profile(k: u8, m: u8, domain: FailureDomain) -> Profile {
    Profile::new(ProfileId(1), k, m, domain).unwrap()
}

fn extent(n: u64) -> ExtentId {
    ExtentId::new(SessionId(1), n)
}

#[test]
fn six_disks_take_six_shards() {
    let map = map(&[("", &[100; 6])]);
    let placed = place(&map, &profile(4, 2, FailureDomain::Disk), extent(1), |_| true).unwrap();
    assert_eq!(placed.iter().collect::<HashSet<_>>().len(), 6);
}

#[test]
fn too_few_disks_or_domains_are_refused() {
    let one_node = map(&[("", &[100; 6])]);
    let error = place(&one_node, &profile(4, 2, FailureDomain::Node), extent(1), |_| true).unwrap_err();
    assert_eq!((error.placed, error.eligible), (2, 6));
    let error = place(&one_node, &profile(4, 2, FailureDomain::Disk), extent(1), |d| d.number.0 != 3).unwrap_err();
    assert_eq!((error.placed, error.eligible), (5, 5));
}

#[test]
fn inactive_disks_get_no_shards() {
    let mut map = map(&[("", &[100; 7])]);
    map.disks[2].state = DiskState::Suspect;
    for n in 0..100 {
        let placed = place(&map, &profile(4, 2, FailureDomain::Disk), extent(n), |_| true).unwrap();
        assert!(!placed.contains(&DiskNumber(3)));
    }
}

#[test]
fn a_cluster_of_several_disks_never_stores_without_redundancy() {
    let chosen = |nodes: &[(&str, &[u64])], domain, away: u32| {
        let mut map = map(nodes);
        map.profiles = Profile::defaults(domain);
        choose(&map, None, None, 1 << 20, extent(1), |d| d.number.0 > away).map(|(p, _)| p.to_string()).ok()
    };
    assert_eq!(chosen(&[("", &[100; 6])], FailureDomain::Disk, 0).as_deref(), Some("4+2"));
    assert_eq!(chosen(&[("", &[100; 6])], FailureDomain::Disk, 2).as_deref(), Some("2+2"));
    assert_eq!(chosen(&[("", &[100; 6])], FailureDomain::Disk, 5), None);
    assert_eq!(chosen(&[("", &[100; 6])], FailureDomain::Node, 0), None);
    assert_eq!(chosen(&[("", &[100; 1])], FailureDomain::Disk, 0).as_deref(), Some("1+0"));
}

#[test]
fn consecutive_copies_share_their_disks() {
    let map = map(&[("", &[100; 6])]);
    let sets = |profile: &Profile| {
        let set = |n| place(&map, profile, extent(n), |_| true).unwrap();
        (0..6400).map(set).collect::<Vec<_>>().chunk_by(|a, b| a == b).count()
    };
    let copies = sets(&profile(1, 2, FailureDomain::Disk));
    assert!(copies <= 100, "{copies} changes of disks in 100 runs of 64");
    assert!(copies > 90, "the next run takes other disks, most of the time: {copies}");
    assert!(sets(&profile(4, 2, FailureDomain::Disk)) > 6000, "coded extents do not");
}

#[test]
fn shards_follow_the_weights() {
    let map = map(&[("", &[100, 100, 200, 400])]);
    let mut shards = [0u32; 5];
    for n in 0..20_000 {
        let placed = place(&map, &profile(1, 0, FailureDomain::Disk), extent(n * 64), |_| true).unwrap();
        shards[placed[0].0 as usize] += 1;
    }
    for (disk, expected) in [(1, 2500), (2, 2500), (3, 5000), (4, 10_000)] {
        assert!(shards[disk].abs_diff(expected) < expected / 10, "disk {disk}: {} of {expected}", shards[disk]);
    }
}

#[test]
fn losing_a_disk_moves_only_its_own_shards() {
    let map = map(&[("", &[100; 12])]);
    let p = profile(4, 2, FailureDomain::Disk);
    for n in 0..200 {
        let before: HashSet<_> = place(&map, &p, extent(n), |_| true).unwrap().into_iter().collect();
        let after: HashSet<_> = place(&map, &p, extent(n), |d| d.number.0 != 5).unwrap().into_iter().collect();
        let moved = before.difference(&after).count();
        assert_eq!(moved, usize::from(before.contains(&DiskNumber(5))));
    }
}

#[test]
fn shards_spread_over_zones_evenly() {
    let map = map(&[("a", &[100; 8]), ("b", &[100; 8]), ("c", &[100; 8])]);
    let placed = place(&map, &profile(4, 2, FailureDomain::Zone), extent(1), |_| true).unwrap();
    for zone in 0..3 {
        assert_eq!(placed.iter().filter(|d| (d.0 - 1) / 8 == zone).count(), 2);
    }
}

proptest! {
    /// I26 over random topologies: no shared disk, at most `m` in a domain, and refusal only if there is no way.
    #[test]
    fn no_placement_breaks_the_rule(
        disks_of in prop::collection::vec(1usize..5, 1..9), k in 1u8..7, m in 1u8..4, n: u64
    ) {
        let capacities = [100u64; 5];
        let nodes: Vec<(&str, &[u64])> = disks_of.iter().map(|&d| ("", &capacities[..d])).collect();
        let map = map(&nodes);
        let p = profile(k, m, FailureDomain::Node);
        let possible: usize = disks_of.iter().map(|&d| d.min(usize::from(m))).sum();
        match place(&map, &p, extent(n), |_| true) {
            Ok(placed) => {
                prop_assert_eq!(placed.iter().collect::<HashSet<_>>().len(), usize::from(k + m));
                let mut per_node: HashMap<NodeId, usize> = HashMap::new();
                for disk in &placed {
                    *per_node.entry(map.disk(*disk).unwrap().node).or_default() += 1;
                }
                prop_assert!(per_node.values().all(|&c| c <= usize::from(m)));
            }
            Err(_) => prop_assert!(possible < usize::from(k + m)),
        }
    }
}

proptest! {
    /// I26 for repairs: whichever disk is lost, the replacement keeps the rule, or there is none.
    #[test]
    fn no_replacement_breaks_the_rule(disks in proptest::collection::vec(1usize..4, 3..9), n: u64, lost in 0usize..6, by_node: bool) {
        let nodes: Vec<Vec<u64>> = disks.iter().map(|count| vec![100; *count]).collect();
        let nodes: Vec<(&str, &[u64])> = nodes.iter().map(|disks| ("", disks.as_slice())).collect();
        let map = map(&nodes);
        let profile = profile(4, 2, if by_node { FailureDomain::Node } else { FailureDomain::Disk });
        if let Ok(placed) = place(&map, &profile, extent(n), |_| true) {
            let mut others = placed.clone();
            let gone = others.remove(lost);
            let taken = replacement(&map, &profile, extent(n), &others, |d| d.number != gone);
            if let Ok(taken) = taken {
                prop_assert!(!others.contains(&taken) && taken != gone);
                let node = map.disk(taken).unwrap().node;
                let beside = others.iter().filter(|d| map.disk(**d).unwrap().node == node).count();
                prop_assert!(!by_node || beside < 2);
            } else {
                let free = map.disks.iter().filter(|d| d.number != gone && !others.contains(&d.number));
                let full = |node| others.iter().filter(|d| map.disk(**d).unwrap().node == node).count() >= 2;
                prop_assert!(free.filter(|d| !by_node || !full(d.node)).count() == 0, "there was a place");
            }
        }
    }
}

proptest! {
    /// I26 for writes: whichever disks fail, one after the other, the shards that have a disk keep the rule.
    #[test]
    fn replacements_beside_the_shards_that_stay_keep_the_rule(
        disks_of in prop::collection::vec(1usize..5, 2..7), n: u64, fails in prop::collection::vec(any::<bool>(), 30)
    ) {
        let capacities = [100u64; 5];
        let nodes: Vec<(&str, &[u64])> = disks_of.iter().map(|&d| ("", &capacities[..d])).collect();
        let (map, profile) = (map(&nodes), profile(4, 2, FailureDomain::Node));
        if let Ok(placed) = place(&map, &profile, extent(n), |_| true) {
            let broken = |disk: DiskNumber| fails[disk.0 as usize % fails.len()];
            let mut disks: Vec<Option<DiskNumber>> = placed.into_iter().map(Some).collect();
            let mut failed: Vec<usize> = (0..disks.len()).filter(|i| disks[*i].is_some_and(broken)).collect();
            let mut tried: Vec<DiskNumber> = failed.iter().filter_map(|i| disks[*i]).collect();
            while !failed.is_empty() {
                let replaced = replacements(&map, &profile, extent(n), &disks, &failed, |d| !tried.contains(&d.number));
                for i in &failed {
                    disks[*i] = None;
                }
                for (i, disk) in &replaced {
                    disks[*i] = Some(*disk);
                }
                failed = replaced.iter().filter(|(_, disk)| broken(*disk)).map(|(i, _)| *i).collect();
                tried.extend(failed.iter().filter_map(|i| disks[*i]));
                let used: Vec<DiskNumber> = disks.iter().copied().flatten().collect();
                prop_assert_eq!(used.iter().collect::<HashSet<_>>().len(), used.len());
                let on = |node| used.iter().filter(|d| map.disk(**d).unwrap().node == node).count();
                prop_assert!(map.nodes.iter().all(|node| on(node.id) <= 2), "{:?}", disks);
            }
        }
    }
}
