//! Writes that meet failing disks: durable at the quorum, or an error that leaves nothing behind.

use std::time::Duration;

use cairn_gateway::data::WriteError;
use cairn_tests::{Content, eventually};

use crate::cluster::{Cluster, LIMIT, Pieces};
use crate::faults::WriteFault;

/// Sent in one call, and streamed.
const LENGTHS: [u64; 2] = [600_000, (3 << 20) + 5];

/// Waits until no disk holds a shard beyond those of committed objects.
async fn assert_only_committed(cluster: &Cluster, committed: usize, when: &str) {
    eventually("uncommitted shards are gone", LIMIT, async || {
        let found = cluster.inventory().await.len();
        if found == committed { Ok(()) } else { Err(format!("{found} shards instead of {committed}, {when}")) }
    })
    .await;
}

/// I1: the shard that is not durable has no place in the commit, and is queued for repair by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_past_one_failing_disk_commits_with_a_hole() {
    let cluster = Cluster::start(6).await;
    let disks = cluster.disks();
    let faults =
        [WriteFault::Refused, WriteFault::Breaks, WriteFault::Unsynced, WriteFault::AnswerLost, WriteFault::Stalled];
    for (n, fault) in faults.into_iter().enumerate() {
        for length in LENGTHS {
            let content = Content::new(length, length);
            let key = format!("{fault:?}-{length}");
            let bad = disks[n];
            cluster.faults.writes([(bad, fault)]);
            let placed = cluster.store(&key, content).await;
            cluster.heal();
            let locations = &placed.extents[0].locations;
            assert_eq!(locations.len(), 6, "{key}");
            let hole = locations.iter().position(Option::is_none).unwrap_or_else(|| panic!("{key}: no hole"));
            let others: Vec<_> = locations.iter().flatten().map(|n| cluster.disk(*n)).collect();
            assert!(others.len() == 5 && !others.contains(&bad), "{key}: {locations:?}");
            let queue = cluster.repair_queue().await;
            let queued = queue.iter().any(|e| (e.extent, usize::from(e.index)) == (placed.run.first, hole));
            assert!(queued, "{key}: {queue:?}");
            cluster.check(&key, content, 0..length, "written past a failing disk").await;
        }
    }
}

/// I1, I2: without a quorum there is no acknowledgement, and no shard stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_past_two_failing_disks_is_an_error_and_leaves_nothing() {
    let cluster = Cluster::start(6).await;
    let disks = cluster.disks();
    let mut committed = 0;
    for fault in [WriteFault::Refused, WriteFault::Breaks, WriteFault::Unsynced, WriteFault::AnswerLost] {
        for length in LENGTHS {
            let when = format!("{fault:?}, {length} bytes");
            let content = Content::new(length, length);
            cluster.faults.writes([(disks[1], fault), (disks[4], fault)]);
            let failed = cluster.write("object", content, Pieces::new(content)).await.map(|_| ());
            assert!(matches!(failed, Err(WriteError::Quorum { quorum: 5, .. })), "{when}: {failed:?}");
            assert_only_committed(&cluster, committed, &when).await;
            // The gateway avoids the two disks for a while, so the next object is coded for four disks.
            let key = format!("after {when}");
            let placed = cluster.store(&key, content).await;
            let geometry = placed.extents[0].geometry;
            assert_eq!((geometry.data_shards, geometry.parity_shards), (2, 2), "{when}");
            cluster.check(&key, content, 0..length, &when).await;
            committed += 4;
            cluster.heal();
        }
    }
}

/// A failing disk is replaced by another if there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_disk_is_replaced_if_another_may_take_its_place() {
    let cluster = Cluster::start(9).await;
    let disks = cluster.disks();
    let bad = disks[2];
    for length in LENGTHS {
        for n in 0..10 {
            let content = Content::new(n, length);
            cluster.faults.writes([(bad, WriteFault::Refused)]);
            let placed = cluster.store("object", content).await;
            let locations: Vec<_> = placed.extents[0].locations.iter().flatten().map(|n| cluster.disk(*n)).collect();
            assert_eq!(locations.len(), 6, "every shard has a place");
            assert!(!locations.contains(&bad), "and none is on the failing disk");
            assert_eq!(cluster.repair_queue().await, []);
            cluster.heal();
            cluster.check("object", content, 0..length, "with replaced disks").await;
        }
    }
}

/// I1: an acknowledged object survives another loss, however few disks are left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_never_stored_without_redundancy_if_there_are_more_disks() {
    let cluster = Cluster::start(6).await;
    let disks = cluster.disks();
    let content = Content::new(1, 100_000);
    for (left, shape) in [(2, Some((1, 1))), (1, None)] {
        cluster.faults.writes(disks[left..].iter().map(|disk| (*disk, WriteFault::Refused)));
        // The gateway learns which disks fail.
        let failed = cluster.write("object", content, Pieces::new(content)).await.map(|_| ());
        assert!(matches!(failed, Err(WriteError::Quorum { .. })), "{left}: {failed:?}");
        let written = cluster.write("object", content, Pieces::new(content)).await;
        match (written, shape) {
            (Ok(written), Some(shape)) => {
                let geometry = written.into_placed().unwrap().extents[0].geometry;
                assert_eq!((geometry.data_shards, geometry.parity_shards), shape);
            }
            (Err(WriteError::Placement(error)), None) => assert_eq!((error.needed, error.eligible), (2, 1)),
            (written, _) => panic!("{left} disks left: {:?}", written.map(|_| ())),
        }
        cluster.heal();
    }
    let sole = Cluster::start(1).await;
    sole.store("object", content).await;
    sole.check("object", content, 0..content.length, "a cluster of one disk").await;
}

/// A body that ends too early leaves nothing, and so does a client that goes away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_body_leaves_nothing() {
    let cluster = Cluster::start(6).await;
    for length in LENGTHS {
        let content = Content::new(length, length);
        for end in [0, 1, length / 2, length - 1] {
            let failed = cluster.write("object", content, Pieces::cut(content, end)).await.map(|_| ());
            assert!(matches!(failed, Err(WriteError::Short { .. })), "{end} of {length}: {failed:?}");
        }
        let shorter = Content::new(length, length - 1);
        let failed = cluster.write("object", shorter, Pieces::new(content)).await.map(|_| ());
        assert!(matches!(failed, Err(WriteError::Long { .. })), "{failed:?}");
        for pause_us in [0, 300, 1_000, 3_000, 10_000] {
            let write = cluster.write("object", content, Pieces::new(content));
            // Dropped in the middle, or, if it was faster, without a commit.
            let _ = tokio::time::timeout(Duration::from_micros(pause_us), write).await;
        }
        assert_only_committed(&cluster, 0, "after broken bodies").await;
    }
}
