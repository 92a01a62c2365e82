//! Disks that refuse new shards are replaced while the object is written.
//!
//! Covers I21 (a full disk is safe) for a disk that has become full since the gateway's map was made, and I24.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use cairn_tests::{Content, ProcessCluster, SmallDisks, Tuning, seed, verify_body};

const BUCKET: &str = "refusing";
const NODES: usize = 8;
const DISK_MIB: u32 = 160;
const RESERVE_BYTES: u64 = 8 << 20;
/// Three extents, so streams of 16 MiB on six disks each.
const OBJECT_BYTES: u64 = 160 << 20;

/// Two disks have room for small shards and not for the stream of an extent's: nobody knows that they are full until they
/// are asked. The other six take all shards of a 4+2, so none is left to repair.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disks_on_other_nodes_are_replaced_before_bytes_are_taken() {
    let tuning = Tuning { reserve_bytes: RESERVE_BYTES, ..Tuning::default() };
    let mut cluster = ProcessCluster::builder().nodes(NODES).gateways(1).tuning(tuning).prepare();
    let small = match SmallDisks::mount(cluster.disk_dirs(), DISK_MIB) {
        Ok(small) => small,
        Err(why) => return eprintln!("SKIPPED, small filesystems need root: {why}"),
    };
    cluster.start_missing().await;
    cluster.wait_gateways_follow().await;
    let mut client = cluster.client(0);
    client.create_bucket(BUCKET).await.unwrap();
    small.directories()[..2].iter().for_each(|disk| SmallDisks::fill(disk, RESERVE_BYTES + (6 << 20)));
    let before = cluster.admin().cluster().await.unwrap().disks;
    assert_eq!(before.active, NODES as u64, "no disk is known to be full yet: {before:?}");

    let content = Content::new(seed(), OBJECT_BYTES);
    client.put(BUCKET, "large", content.bytes()).await.expect("six disks have room for all shards");

    let report = cluster.admin().verify(|_| {}).await.unwrap();
    assert!(report.is_healthy() && report.extents >= 3, "every shard is there: {report:?}");
    let repair = cluster.admin().repair().await.unwrap();
    let untouched = repair.pending_extents == 0 && repair.done_shards == 0 && repair.running.is_empty();
    assert!(untouched, "nothing was left to repair: {repair:?}");
    let body = client.get(BUCKET, "large").await.unwrap();
    verify_body(body, content, 0..content.length).await.unwrap();
    cluster.stop().await;
}
