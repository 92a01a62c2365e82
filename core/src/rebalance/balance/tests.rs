use super::*;
use crate::cluster_map::{Labels, Node, Standing};
use crate::geometry::Geometry;
use crate::id::{ClusterId, DiskId, ExtentId, Generation, NodeId, SessionId};
use crate::placement::place;
use crate::profile::{FailureDomain, Profile};
use crate::release::Release;
use proptest::prelude::*;

/// No cluster of these tests needs more passes.
const PASSES_MAX: usize = 40;

/// Extents with their locations.
type Extents = Vec<(ExtentId, Vec<Option<DiskNumber>>)>;

fn add_node(map: &mut ClusterMap, disks: &[(u64, DiskState)]) {
    let n = map.nodes.len() as u8 + 1;
    let (id, labels) = (NodeId::from_bytes([n; 16]), Labels::default());
    map.nodes.push(Node { id, name: format!("node{n}"), rpc_addr: String::new(), labels, release: Release::current() });
    for (capacity_bytes, state) in disks {
        let number = DiskNumber(map.disks.len() as u32 + 1);
        let (path, standing) = (String::new(), Standing::Member);
        let disk = DiskId::from_bytes([number.0 as u8; 16]);
        let (capacity_bytes, state) = (*capacity_bytes, *state);
        map.disks.push(Disk { number, id: disk, node: id, path, capacity_bytes, state, standing });
    }
}

fn empty() -> ClusterMap {
    ClusterMap::empty(ClusterId::from_bytes([1; 16]), Profile::defaults(FailureDomain::Node))
}

fn profile(map: &ClusterMap, shape: &str) -> Profile {
    *map.profiles.iter().find(|profile| profile.to_string() == shape).unwrap()
}

fn geometry(profile: &Profile) -> Geometry {
    Geometry::new(profile, 100_000)
}

fn view<'a>(
    id: ExtentId,
    profile: &Profile,
    geometry: &'a Geometry,
    locations: &'a [Option<DiskNumber>],
) -> ExtentView<'a> {
    ExtentView { id, profile: profile.id, geometry, generation: Generation(0), locations }
}

fn stored(map: &ClusterMap, profile: &Profile, count: u64) -> Extents {
    let placed = |n| {
        let id = ExtentId::new(SessionId(1), n * 64);
        let disks = place(map, profile, id, |_| true).ok()?;
        Some((id, disks.into_iter().map(Some).collect()))
    };
    (0..count).filter_map(placed).collect()
}

fn balance(map: &ClusterMap, profile: &Profile, extents: &Extents) -> Balance {
    let mut loads = Loads::default();
    for (_, locations) in extents {
        loads.add(&geometry(profile), locations);
    }
    Balance::new(map, &loads)
}

/// Most shards of an extent on one node.
fn crowd(map: &ClusterMap, locations: &[Option<DiskNumber>]) -> usize {
    let node = |disk: &Option<DiskNumber>| map.disk(disk.unwrap()).unwrap().node;
    let nodes: Vec<NodeId> = locations.iter().map(node).collect();
    nodes.iter().map(|one| nodes.iter().filter(|other| *other == one).count()).max().unwrap_or(0)
}

/// Makes passes until no shard moves, checks the rule after every move, and returns the number of moves.
fn settle(map: &ClusterMap, profile: &Profile, extents: &mut Extents) -> usize {
    let geometry = geometry(profile);
    let mut moves = 0;
    for _ in 0..PASSES_MAX {
        let mut balance = balance(map, profile, extents);
        let before = moves;
        for (id, locations) in extents.iter_mut() {
            let view = view(*id, profile, &geometry, locations);
            let concerned = balance.concerns(locations);
            let Some(task) = balance.plan(map, view) else { continue };
            assert!(concerned, "an extent that is passed over would have moved");
            assert_eq!((task.why.moves(), task.sources.len()), (true, locations.len()));
            assert_eq!((task.sources[0].0, Some(task.sources[0].1)), (task.shard.index, task.from));
            let crowded = crowd(map, locations);
            locations[usize::from(task.shard.index)] = Some(task.target);
            moves += 1;
            let mut disks: Vec<_> = locations.iter().flatten().collect();
            disks.sort_unstable();
            disks.dedup();
            assert_eq!(disks.len(), usize::from(profile.total_shards()), "I26: no two shards on a disk");
            assert!(crowd(map, locations) <= crowded.max(1), "no node is more crowded than before");
            assert!(crowd(map, locations) <= usize::from(profile.parity_shards), "I26");
            assert_eq!(map.disk(task.target).unwrap().state, DiskState::Active);
        }
        if moves == before {
            return moves;
        }
    }
    panic!("it moves on after {PASSES_MAX} passes");
}

#[test]
fn a_new_node_gets_its_share_and_little_else_moves() {
    for shape in ["4+2", "1+2"] {
        let mut map = empty();
        for _ in 0..6 {
            add_node(&mut map, &[(100, DiskState::Active), (100, DiskState::Active)]);
        }
        let profile = profile(&map, shape);
        let mut extents = stored(&map, &profile, 3000);
        let shards = extents.len() * usize::from(profile.total_shards());
        let settled = settle(&map, &profile, &mut extents);
        assert!(settled <= shards / 20, "what placement has spread is nearly even: {settled} of {shards}");
        add_node(&mut map, &[(100, DiskState::Active), (100, DiskState::Active)]);
        assert!(!balance(&map, &profile, &extents).is_even());
        let moves = settle(&map, &profile, &mut extents);
        let after = balance(&map, &profile, &extents);
        assert!(after.is_even() && after.disks().iter().all(|fill| fill.is_within(2)), "{shape}: {after:?}");
        assert!(moves * 7 <= shards + shards / 10, "a seventh of all shards, not more: {moves} of {shards}");
    }
}

#[test]
fn shares_follow_the_capacities() {
    let mut map = empty();
    for capacity in [100, 100, 200, 200, 200, 400, 400, 400] {
        add_node(&mut map, &[(capacity, DiskState::Active)]);
    }
    let profile = profile(&map, "1+2");
    // Everything where only the small ones were.
    let few = |disk: &Disk| disk.number.0 <= 4;
    let placed = |n: u64| {
        let id = ExtentId::new(SessionId(1), n * 64);
        (id, place(&map, &profile, id, few).unwrap().into_iter().map(Some).collect())
    };
    let mut extents: Extents = (0..3000).map(placed).collect();
    settle(&map, &profile, &mut extents);
    let fills = balance(&map, &profile, &extents).disks();
    assert!(fills.iter().all(|fill| fill.is_within(2)), "{fills:?}");
    assert_eq!(fills[5].share_bytes / 1000, 4 * fills[0].share_bytes / 1000);
}

#[test]
fn full_disks_give_but_take_nothing_and_suspect_disks_are_left_alone() {
    let mut map = empty();
    for _ in 0..4 {
        add_node(&mut map, &[(100, DiskState::Active)]);
    }
    let profile = profile(&map, "1+2");
    let mut extents = stored(&map, &profile, 500);
    add_node(&mut map, &[(100, DiskState::Active)]);
    map.disks[0].state = DiskState::Full;
    map.disks[1].state = DiskState::Suspect;
    let on = |extents: &Extents, disk| extents.iter().flat_map(|(_, at)| at).filter(|at| at.unwrap().0 == disk).count();
    let (full, suspect) = (on(&extents, 1), on(&extents, 2));
    settle(&map, &profile, &mut extents);
    assert!(on(&extents, 1) < full && on(&extents, 2) == suspect && on(&extents, 5) > 0);
}

#[test]
fn extents_that_need_repair_do_not_move() {
    let mut map = empty();
    for _ in 0..6 {
        add_node(&mut map, &[(100, DiskState::Active)]);
    }
    let profile = profile(&map, "4+2");
    let mut extents = stored(&map, &profile, 100);
    add_node(&mut map, &[(100, DiskState::Active)]);
    for (_, locations) in &mut extents {
        locations[2] = None;
    }
    let geometry = geometry(&profile);
    let mut balance = balance(&map, &profile, &extents);
    for (id, locations) in &extents {
        let view = view(*id, &profile, &geometry, locations);
        assert_eq!(balance.plan(&map, view), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// I26, I27 over random topologies that grow by random nodes: no move breaks the rule, and the moves end.
    #[test]
    fn random_topologies_settle_without_breaking_the_rule(
        before in prop::collection::vec(prop::collection::vec(1u64..20, 1..4), 3..8),
        added in prop::collection::vec(prop::collection::vec(1u64..20, 1..4), 0..4),
        states in prop::collection::vec(prop_oneof![8 => Just(DiskState::Active), 1 => Just(DiskState::Full), 1 => Just(DiskState::Suspect)], 33),
        shape in prop::sample::select(vec!["1+2", "2+2", "4+2", "3+2"]),
    ) {
        let mut map = empty();
        let disks = |node: &Vec<u64>| node.iter().map(|tens| (tens * 10, DiskState::Active)).collect::<Vec<_>>();
        for node in &before {
            add_node(&mut map, &disks(node));
        }
        let profile = profile(&map, shape);
        let mut extents = stored(&map, &profile, 150);
        for node in &added {
            add_node(&mut map, &disks(node));
        }
        for (disk, state) in map.disks.iter_mut().zip(states) {
            disk.state = state;
        }
        let unevenness = |balance: &Balance| balance.excess_bytes();
        let first = unevenness(&balance(&map, &profile, &extents));
        settle(&map, &profile, &mut extents);
        prop_assert!(unevenness(&balance(&map, &profile, &extents)) <= first);
    }
}
