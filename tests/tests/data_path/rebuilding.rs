//! Rebuilds whose outcome nobody knows, or that come too late: what is not published is garbage, and what is gone stays gone
//! (I8, I40).

use std::time::Duration;

use cairn_core::id::{DiskId, Generation};
use cairn_core::name::ObjectKey;
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{DeleteObject, Precondition, ReportFaults, ShardReport};
use cairn_protocol::storage::ShardReportKind;
use cairn_tests::{Content, eventually};

use crate::cluster::{Cluster, LIMIT, MEMORY_BYTES};
use crate::faults::WriteFault;

const CONTENT: Content = Content { seed: 8, length: 300_000 };
const KEY: &str = "object";
const SHARDS: usize = 6;
/// Time for a node to rebuild a shard.
const REBUILD: Duration = Duration::from_secs(1);
/// Time for several attempts.
const A_WHILE: Duration = Duration::from_secs(4);

/// A cluster that repairs, and collects garbage at this interval.
async fn repairing(disks: usize, collect_interval: Duration) -> Cluster {
    Cluster::with(disks as u32, MEMORY_BYTES, |metadata, node| {
        metadata.tick = Duration::from_millis(100);
        metadata.reclaim_grace = Duration::ZERO;
        metadata.repair.rebuild_time_max = REBUILD;
        node.collect_interval = collect_interval;
    })
    .await
}

/// Where the object's shards lie, as often as that changed.
async fn generation(cluster: &Cluster) -> Generation {
    cluster.located(KEY).await[0].generation
}

/// Every rebuild meets this fault.
fn strike(cluster: &Cluster, fault: WriteFault) {
    cluster.faults.writes(cluster.disks().into_iter().map(|disk| (disk, fault)));
}

/// Reports the object's first shard as missing.
async fn miss_a_shard(cluster: &Cluster) {
    let located = cluster.located(KEY).await.remove(0);
    let disk = located.locations[0].unwrap();
    let report = ShardReport { extent: located.id, index: 0, disk, kind: ShardReportKind::Missing };
    cluster.metadata.run(ReportFaults { reports: vec![report] }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_is_not_answered_is_never_published_and_leaves_nothing() {
    let cluster = repairing(SHARDS + 1, Duration::from_millis(300)).await;
    cluster.store(KEY, CONTENT).await;
    let before = generation(&cluster).await;
    for fault in [WriteFault::AnswerLost, WriteFault::Stalled, WriteFault::Late(2 * REBUILD)] {
        strike(&cluster, fault);
        miss_a_shard(&cluster).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(generation(&cluster).await, before, "{fault:?}");
        cluster.check(KEY, CONTENT, 0..CONTENT.length, &format!("{fault:?}")).await;
    }
    cluster.heal();
    eventually("the shard is rebuilt and nothing else is left", LIMIT, async || {
        let (queue, found) = (cluster.repair_queue().await, cluster.inventory().await);
        let is_done = queue.is_empty() && found.len() == SHARDS && generation(&cluster).await != before;
        if is_done { Ok(()) } else { Err(format!("{queue:?}, {found:?}")) }
    })
    .await;
    let located = cluster.located(KEY).await.remove(0);
    for (index, disk) in located.locations.iter().enumerate() {
        let disk = cluster.disk(disk.unwrap());
        let is_it = |(on, shard): &(DiskId, ShardId)| *on == disk && usize::from(shard.index) == index;
        assert!(cluster.inventory().await.iter().any(is_it), "shard {index}");
    }
    cluster.check(KEY, CONTENT, 0..CONTENT.length, "after its repair").await;
}

/// Its object is deleted meanwhile: nobody but the one who ordered it knows of the shard until the next collection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_is_rebuilt_for_a_deleted_object_is_deleted() {
    let cluster = repairing(SHARDS, Duration::from_hours(1)).await;
    // One shard is missing from the start, so nothing that is let go of later names its disk.
    cluster.faults.writes([(cluster.disks()[0], WriteFault::Unsynced)]);
    cluster.store(KEY, CONTENT).await;
    assert!(cluster.located(KEY).await[0].locations.contains(&None));
    strike(&cluster, WriteFault::Late(REBUILD / 2));
    eventually("the shard is rebuilt, and nobody knows", LIMIT, async || {
        let found = cluster.inventory().await.len();
        if found == SHARDS { Ok(()) } else { Err(format!("{found} shards")) }
    })
    .await;
    let (bucket, key) = (cluster.bucket(), ObjectKey::new(KEY).unwrap());
    let precondition = Precondition::default();
    cluster.metadata.run(DeleteObject { bucket, key, precondition, version: None, revision: None }).await.unwrap();
    eventually("every shard is gone", LIMIT, async || {
        let found = cluster.inventory().await;
        if found.is_empty() { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}
