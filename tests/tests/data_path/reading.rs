//! Reads with up to `m` bad shards succeed, and reads with more are errors.

use std::ops::Range;

use cairn_core::id::{CommitSequence, DiskId, Epoch};
use cairn_core::shard::ShardId;
use cairn_core::testing::commit_at;
use cairn_gateway::data::{ClusterView, ReadError};
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageNode};
use cairn_tests::{Content, eventually};

use crate::cluster::{Cluster, LIMIT};
use crate::faults::ReadFault;

/// All subsets of `0..n` with `size` elements.
fn subsets(n: usize, size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let with = |last: usize| subsets(last, size - 1).into_iter().map(move |s| [s, vec![last]].concat());
    (size - 1..n).flat_map(with).collect()
}

/// All ways to give each of `count` shards one of `kinds`.
fn assignments(kinds: usize, count: usize) -> Vec<Vec<usize>> {
    (0..kinds.pow(count as u32)).map(|n| (0..count).map(|i| n / kinds.pow(i as u32) % kinds).collect()).collect()
}

/// A few bytes, the whole, and everything where something begins or ends.
fn ranges(length: u64, stripe: u64) -> Vec<Range<u64>> {
    let all = [
        0..length,
        0..1,
        length - 1..length,
        stripe - 1..stripe + 1,
        stripe / 2..stripe / 2 + 1,
        stripe + 7..length - 3,
    ];
    all.into_iter().filter(|r| r.start < r.end && r.end <= length).collect()
}

/// Reads an object of `length` bytes from a cluster of `disks` disks with every subset of up to `m` bad shards and
/// every kind of fault for each of them.
async fn check_all_subsets(disks: u32, length: u64, shape: (u8, u8)) {
    let cluster = Cluster::start(disks).await;
    let old = cluster.store("object", Content::new(1, length)).await;
    let content = Content::new(2, length);
    let placed = cluster.store("object", content).await;
    let extent = &placed.extents[0];
    let geometry = extent.geometry;
    assert_eq!((geometry.data_shards, geometry.parity_shards), shape);
    let disks: Vec<DiskId> = extent.locations.iter().map(|n| cluster.disk(n.unwrap())).collect();
    // The shard of the first write that the same disk holds.
    let stale: Vec<Option<ShardId>> = extent
        .locations
        .iter()
        .map(|number| old.extents[0].locations.iter().position(|n| n == number))
        .map(|index| index.map(|i| ShardId { extent: old.run.first, index: i as u8 }))
        .collect();
    let fault = |kind: usize, shard: usize| match kind {
        0 => ReadFault::Missing,
        1 => ReadFault::Corrupt,
        2 => ReadFault::Unreachable,
        3 => ReadFault::Slow,
        _ => stale[shard].map_or(ReadFault::Corrupt, ReadFault::Stale),
    };
    let ranges = ranges(length, geometry.stripe_bytes().min(length));
    for size in 0..=usize::from(shape.1) {
        for (n, subset) in subsets(disks.len(), size).iter().enumerate() {
            for kinds in assignments(5, size) {
                let faults: Vec<_> =
                    subset.iter().zip(&kinds).map(|(&shard, &kind)| (disks[shard], fault(kind, shard))).collect();
                // Single faults meet every range; pairs the whole object and one range each, in turn.
                let chosen = if size < 2 { 0..ranges.len() } else { n % ranges.len()..n % ranges.len() + 1 };
                for range in ranges[chosen].iter().chain(&ranges[..1]) {
                    cluster.heal();
                    cluster.faults.reads(faults.iter().copied());
                    cluster.check("object", content, range.clone(), &format!("shards {subset:?}: {faults:?}")).await;
                }
            }
        }
    }
}

/// I6, I7, I12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_and_two_reads_around_any_two_bad_shards() {
    check_all_subsets(6, 600_000, (4, 2)).await;
}

/// I6, I7, I12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_and_two_reads_around_any_two_bad_shards() {
    check_all_subsets(4, 300_001, (2, 2)).await;
}

/// I6, I7, I12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_tiny_object_stand_in_for_each_other() {
    check_all_subsets(6, 10_000, (1, 2)).await;
}

/// I8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_m_bad_shards_are_an_error_and_nothing_is_purged() {
    let cluster = Cluster::start(6).await;
    let content = Content::new(3, 600_000);
    let placed = cluster.store("object", content).await;
    let disks: Vec<DiskId> = placed.extents[0].locations.iter().map(|n| cluster.disk(n.unwrap())).collect();
    let before = cluster.inventory().await;
    for (n, subset) in subsets(6, 3).iter().enumerate() {
        let kinds = [ReadFault::Missing, ReadFault::Corrupt, ReadFault::Unreachable];
        cluster.faults.reads(subset.iter().map(|&shard| (disks[shard], kinds[(shard + n) % 3])));
        let (bytes, result) = cluster.read("object", 0..content.length).await;
        assert!(matches!(result, Err(ReadError::Lost { needed: 4, .. })), "{subset:?}: {result:?}");
        assert!(bytes.is_empty(), "{subset:?}");
        // One shard returns, and the object can be read again.
        cluster.heal();
        cluster.faults.reads(subset[1..].iter().map(|&shard| (disks[shard], kinds[(shard + n) % 3])));
        cluster.check("object", content, 0..content.length, &format!("one of {subset:?} is back")).await;
        cluster.heal();
    }
    assert_eq!(cluster.inventory().await, before, "reads delete nothing");
}

/// I6: the bytes before a bad tail are right, and the body ends with an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_tail_is_an_error_and_never_a_short_body() {
    let cluster = Cluster::start(6).await;
    let content = Content::new(4, (3 << 20) + 17);
    let placed = cluster.store("object", content).await;
    let disks: Vec<DiskId> = placed.extents[0].locations.iter().map(|n| cluster.disk(n.unwrap())).collect();
    for first_bad in [1, 4, 9, 12] {
        cluster.faults.reads([0, 2, 5].map(|shard| (disks[shard], ReadFault::CorruptFrom(first_bad))));
        let (bytes, result) = cluster.read("object", 0..content.length).await;
        assert!(matches!(result, Err(ReadError::Lost { .. })), "{first_bad}: {result:?}");
        assert!(content.check(0, &bytes).is_ok(), "{first_bad}");
        assert!(bytes.len() as u64 <= u64::from(first_bad) * (4 << 16), "{first_bad}: {} bytes", bytes.len());
        cluster.heal();
    }
}

/// I7: every shard may have a bad cell, as long as no stripe has more than `m`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_cells_in_all_shards_are_read_around_stripe_by_stripe() {
    let cluster = Cluster::start(6).await;
    let content = Content::new(5, (2 << 20) + 1);
    let placed = cluster.store("object", content).await;
    let disks: Vec<DiskId> = placed.extents[0].locations.iter().map(|n| cluster.disk(n.unwrap())).collect();
    cluster.faults.reads(disks.iter().zip(0..).map(|(disk, stripe)| (*disk, ReadFault::CorruptAt(stripe / 2))));
    cluster.check("object", content, 0..content.length, "two bad cells in each of three stripes").await;
}

/// I7: each bad shard is queued for repair once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_shards_that_a_read_finds_are_queued_for_repair() {
    let cluster = Cluster::start(6).await;
    let content = Content::new(6, 600_000);
    let placed = cluster.store("object", content).await;
    let extent = placed.run.first;
    let disk = |index: usize| cluster.disk(placed.extents[0].locations[index].unwrap());
    // One shard is really deleted, the other is damaged on the way.
    let order = DeleteOrder {
        proof: DeleteProof::Committed(commit_at(CommitSequence::INDEX_MAX)),
        shards: vec![ShardId { extent, index: 1 }],
    };
    cluster.node.delete_shards(disk(1), order).await.unwrap();
    cluster.faults.reads([(disk(2), ReadFault::Corrupt)]);
    assert_eq!(cluster.repair_queue().await, []);
    cluster.check("object", content, 0..content.length, "one gone, one corrupt").await;
    eventually("both are queued", LIMIT, async || {
        let queue = cluster.repair_queue().await;
        let entries: Vec<_> = queue.iter().map(|e| (e.extent, e.index)).collect();
        if entries == [(extent, 1), (extent, 2)] { Ok(()) } else { Err(format!("{entries:?}")) }
    })
    .await;
}

/// I7: objects of many extents, at the seams.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_from_extent_to_extent() {
    let cluster = Cluster::start(6).await;
    let extent = cairn_core::limits::EXTENT_BYTES_MAX;
    let content = Content::new(7, extent + 70_001);
    let placed = cluster.store("object", content).await;
    assert_eq!(placed.extents.len(), 2);
    assert_eq!(cluster.located("object").await.len(), 2);
    let disks = cluster.disks();
    cluster.faults.reads([(disks[0], ReadFault::Missing), (disks[4], ReadFault::Corrupt)]);
    for range in [extent - 3..extent + 3, extent..content.length, 0..content.length] {
        cluster.check("object", content, range, "two bad disks").await;
    }
}

/// A gateway that started before the other nodes, or that was away when they joined.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_newer_than_the_gateways_map_are_read_and_written() {
    let mut cluster = Cluster::start(6).await;
    let content = Content::new(1, 300_000);
    cluster.store("object", content).await;
    let newest = cluster.path.view.get().unwrap();
    // Views that are not renewed.
    let older = |disks| {
        let mut map = (*newest).clone();
        map.epoch = Epoch(1);
        map.disks.truncate(disks);
        let view = ClusterView::new();
        view.update(map);
        view
    };
    cluster.path.view = older(1);
    cluster.check("object", content, 0..content.length, "with a map of one disk").await;
    assert_eq!(cluster.path.view.get().unwrap().disks.len(), 6);
    cluster.path.view = older(0);
    let placed = cluster.store("another", content).await;
    assert_eq!(placed.extents[0].geometry.data_shards, 4);
}
