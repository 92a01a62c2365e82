//! The judge on shelves that are made up.

use std::path::PathBuf;

use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, DiskNumber, ExtentId, SessionId};
use cairn_core::shard::ShardId;
use cairn_metadata::offline::{BookedExtent, BookedObject, Excused};
use cairn_protocol::metadata::ExtentRun;

use super::health::Amount;
use super::judge::Judge;
use super::shelf::{Held, Shelf};

const GEOMETRY: Geometry = Geometry { data_shards: 2, parity_shards: 1, cell_bytes: 4096, length: 1000 };

fn extent(n: u64) -> ExtentId {
    ExtentId::new(SessionId(7), n)
}

fn held(n: u64, index: u8) -> Held {
    let shard = ShardId { extent: extent(n), index };
    Held { shard, geometry: GEOMETRY, bytes: 1024, is_damaged: false, is_owned: false }
}

fn shelf(number: u8, mut held: Vec<Held>) -> (DiskNumber, Shelf) {
    held.sort_unstable_by_key(|held| held.shard);
    let (cluster, disk) = (ClusterId::from_bytes([1; 16]), DiskId::from_bytes([number; 16]));
    let shelf = Shelf { path: PathBuf::from("disk"), cluster, disk, held, dead_bytes: 0, allocated_bytes: 0 };
    (DiskNumber(u32::from(number)), shelf)
}

/// Extents 0 to 3, each with shard `i` on disk `i + 1`, and 4, which nobody refers to.
fn judge(shelves: [(DiskNumber, Shelf); 3], reported: &[(u64, u8)]) -> Judge {
    let mut judge = Judge::new(shelves.into());
    for n in 0..5 {
        let reported = reported.iter().filter(|(of, _)| *of == n).map(|(_, index)| *index).collect();
        let locations = (1..=3).map(|disk| Some(DiskNumber(disk))).collect();
        judge.extent(&BookedExtent { id: extent(n), geometry: GEOMETRY, locations, reported });
    }
    for n in 0..4 {
        let run = ExtentRun { first: extent(n), size: 1000, extent_bytes: 4096 };
        judge.object(&BookedObject { bucket: "b".into(), key: format!("k{n}"), size: 1000, runs: vec![run] });
    }
    judge
}

fn full(index: u8) -> Vec<Held> {
    (0..5).map(|n| held(n, index)).collect()
}

#[test]
fn every_way_to_be_bad_counts_and_the_worst_is_listed_first() {
    let mut damaged = full(0);
    damaged[1].is_damaged = true;
    let mut other_shape = full(1);
    other_shape[1].geometry.length += 1;
    let missing = full(2).into_iter().filter(|held| held.shard.extent != extent(2)).collect();
    let judge = judge([shelf(1, damaged), shelf(2, other_shape), shelf(3, missing)], &[(3, 0)]);
    let (objects, one) = (&judge.objects, Amount { objects: 1, bytes: 1000 });
    assert_eq!((objects.whole, objects.lost), (one, one), "k0 is whole, k1 has one good shard of three");
    assert_eq!(objects.at_risk[&0], Amount { objects: 2, bytes: 2000 });
    let mut objects = judge.objects;
    objects.keep_the_worst();
    let listed: Vec<_> = objects.listed.iter().map(|o| (o.key.as_str(), o.spare)).collect();
    assert_eq!(listed, [("k1", None), ("k2", Some(0)), ("k3", Some(0))]);
}

#[test]
fn a_disk_that_is_not_given_holds_nothing_and_an_object_without_rows_is_lost() {
    let mut judge = judge([shelf(1, full(0)), shelf(2, full(1)), shelf(9, Vec::new())], &[]);
    assert_eq!((judge.extents(), judge.at_risk(), judge.stray()), (5, 5, 1));
    assert_eq!(judge.objects.at_risk[&0].objects, 4);
    let run = ExtentRun { first: extent(77), size: 1, extent_bytes: 4096 };
    judge.object(&BookedObject { bucket: "b".into(), key: "gone".into(), size: 1, runs: vec![run] });
    assert_eq!((judge.unbooked, judge.objects.lost.objects), (1, 1));
}

#[test]
fn what_nobody_owns_is_sorted_by_what_becomes_of_it() {
    let of = |session, counter| {
        let shard = ShardId { extent: ExtentId::new(SessionId(session), counter), index: 0 };
        Held { shard, ..held(0, 0) }
    };
    let mut first = full(0);
    first.extend([held(0, 2), held(1, 2), held(2, 2), of(7, 500), of(8, 1), of(99, 1)]);
    let mut judge = judge([shelf(1, first), shelf(2, full(1)), shelf(3, full(2))], &[]);
    let on_first = |n| (ShardId { extent: extent(n), index: 2 }, DiskNumber(1));
    let excused = Excused {
        left_behind: [on_first(0)].into(),
        rebuilding: [on_first(1)].into(),
        open_sessions: [SessionId(8)].into(),
        last_session: SessionId(8),
    };
    let found = judge.unowned(&excused);
    let classes =
        [found.left_behind, found.rebuilding, found.of_open_sessions, found.garbage, found.of_unknown_sessions];
    assert_eq!(classes.map(|class| class.shards), [1, 1, 1, 2, 1]);
    assert_eq!((found.total.shards, found.total.bytes), (6, 6 * 1024));
    assert_eq!(judge.disk(DiskNumber(1)).unknown, 6);
    let space = judge.space();
    assert_eq!((space.model_bytes, space.coded_bytes, space.owned_bytes), (5000, 7500, 15 * 1024));
    assert!(space.is_within, "{space:?}");
}
