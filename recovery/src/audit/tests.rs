//! The auditor on made-up disks.

use std::path::PathBuf;

use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, DiskNumber, ExtentId, SessionId};
use cairn_core::shard::ShardId;
use cairn_metadata::offline::{Excused, RecordedExtent, RecordedObject};
use cairn_protocol::metadata::ExtentRun;

use super::auditor::Auditor;
use super::contents::{DiskContents, HeldShard};
use super::health::Amount;

const GEOMETRY: Geometry = Geometry { data_shards: 2, parity_shards: 1, cell_bytes: 4096, length: 1000 };

fn extent(n: u64) -> ExtentId {
    ExtentId::new(SessionId(7), n)
}

fn held(n: u64, index: u8) -> HeldShard {
    let id = ShardId { extent: extent(n), index };
    HeldShard { id, geometry: GEOMETRY, bytes: 1024, is_damaged: false, is_owned: false }
}

fn disk(number: u8, mut shards: Vec<HeldShard>) -> (DiskNumber, DiskContents) {
    shards.sort_unstable_by_key(|shard| shard.id);
    let (cluster, disk) = (ClusterId::from_bytes([1; 16]), DiskId::from_bytes([number; 16]));
    let contents =
        DiskContents { path: PathBuf::from("disk"), cluster, disk, shards, dead_bytes: 0, allocated_bytes: 0 };
    (DiskNumber(u32::from(number)), contents)
}

/// Extents 0 to 3, each with shard `i` on disk `i + 1`, and 4, to which nothing refers.
fn auditor(disks: [(DiskNumber, DiskContents); 3], reported: &[(u64, u8)]) -> Auditor {
    let mut auditor = Auditor::new(disks.into());
    for n in 0..5 {
        let reported = reported.iter().filter(|(of, _)| *of == n).map(|(_, index)| *index).collect();
        let locations = (1..=3).map(|disk| Some(DiskNumber(disk))).collect();
        auditor.extent(&RecordedExtent { id: extent(n), geometry: GEOMETRY, locations, reported });
    }
    for n in 0..4 {
        let run = ExtentRun { first: extent(n), size: 1000, extent_bytes: 4096 };
        auditor.object(&RecordedObject { bucket: "b".into(), key: format!("k{n}"), size: 1000, runs: vec![run] });
    }
    auditor
}

fn full(index: u8) -> Vec<HeldShard> {
    (0..5).map(|n| held(n, index)).collect()
}

#[test]
fn damage_of_every_kind_counts_and_the_worst_objects_are_listed_first() {
    let mut damaged = full(0);
    damaged[1].is_damaged = true;
    let mut other_shape = full(1);
    other_shape[1].geometry.length += 1;
    let missing = full(2).into_iter().filter(|shard| shard.id.extent != extent(2)).collect();
    let auditor = auditor([disk(1, damaged), disk(2, other_shape), disk(3, missing)], &[(3, 0)]);
    let (objects, one) = (&auditor.objects, Amount { objects: 1, bytes: 1000 });
    assert_eq!((objects.whole, objects.lost), (one, one), "k0 is whole, k1 has one good shard of three");
    assert_eq!(objects.at_risk[&0], Amount { objects: 2, bytes: 2000 });
    let mut objects = auditor.objects;
    objects.keep_the_worst();
    let listed: Vec<_> = objects.listed.iter().map(|o| (o.key.as_str(), o.spare)).collect();
    assert_eq!(listed, [("k1", None), ("k2", Some(0)), ("k3", Some(0))]);
}

#[test]
fn disk_not_given_holds_nothing_and_object_without_rows_is_lost() {
    let mut auditor = auditor([disk(1, full(0)), disk(2, full(1)), disk(9, Vec::new())], &[]);
    assert_eq!((auditor.extents(), auditor.at_risk(), auditor.stray()), (5, 5, 1));
    assert_eq!(auditor.objects.at_risk[&0].objects, 4);
    let run = ExtentRun { first: extent(77), size: 1, extent_bytes: 4096 };
    auditor.object(&RecordedObject { bucket: "b".into(), key: "gone".into(), size: 1, runs: vec![run] });
    assert_eq!((auditor.unbooked, auditor.objects.lost.objects), (1, 1));
}

#[test]
fn unowned_shards_are_sorted_by_what_happens_to_them() {
    let of = |session, counter| {
        let id = ShardId { extent: ExtentId::new(SessionId(session), counter), index: 0 };
        HeldShard { id, ..held(0, 0) }
    };
    let mut first = full(0);
    first.extend([held(0, 2), held(1, 2), held(2, 2), of(7, 500), of(8, 1), of(99, 1)]);
    let mut auditor = auditor([disk(1, first), disk(2, full(1)), disk(3, full(2))], &[]);
    let on_first = |n| (ShardId { extent: extent(n), index: 2 }, DiskNumber(1));
    let excused = Excused {
        left_behind: [on_first(0)].into(),
        rebuilding: [on_first(1)].into(),
        open_sessions: [SessionId(8)].into(),
        last_session: SessionId(8),
    };
    let found = auditor.unowned(&excused);
    let classes =
        [found.left_behind, found.rebuilding, found.of_open_sessions, found.garbage, found.of_unknown_sessions];
    assert_eq!(classes.map(|class| class.shards), [1, 1, 1, 2, 1]);
    assert_eq!((found.total.shards, found.total.bytes), (6, 6 * 1024));
    assert_eq!(auditor.disk(DiskNumber(1)).unknown, 6);
    let space = auditor.space();
    assert_eq!((space.model_bytes, space.coded_bytes, space.owned_bytes), (5000, 7500, 15 * 1024));
    assert!(space.is_within, "{space:?}");
}
