//! A node goes away and comes back, again and again, within the grace period.

use cairn_cli::admin::DiskState;
use cairn_tests::{Dataset, Ledger, ProcessCluster, Tuning, eventually, seed};

use super::*;

/// Bytes of a shard: of six, any four have the object.
const SHARD_BYTES_MAX: u64 = OBJECT_BYTES_MAX / 4;
/// Bytes of shards that one flap may leave to be rebuilt: each worker's write under way is cut off on two disks of the
/// node at most, and a part more of the upload that was begun before.
const MOVED_BYTES_PER_FLAP: u64 = WORKERS as u64 * 2 * SHARD_BYTES_MAX;

async fn state(cluster: &ProcessCluster, numbers: &[u64], expected: DiskState) {
    eventually(&format!("disks {numbers:?} are {expected}"), LIMIT, async || {
        let disks = cluster.admin().disks().await.map_err(|e| e.to_string())?;
        let of_node = disks.iter().filter(|disk| numbers.contains(&disk.number));
        let other: Vec<_> = of_node.filter(|disk| disk.state != expected).collect();
        if other.is_empty() { Ok(()) } else { Err(format!("{other:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flapping_node_moves_no_more_than_what_was_being_written() {
    let (seed, flaps) = (seed(), count("CAIRN_FLAPS", 3));
    let tuning = Tuning { node_silence_s: 2, ..Tuning::default() };
    let mut cluster = ProcessCluster::builder().disks_per_node(DISKS_PER_NODE).tuning(tuning).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let data = Dataset::store(&cluster.account(0), STILL, seed).await;
    let (node, mut ledger, mut written) = (2, Ledger::new(), 0);
    let numbers = cluster.disk_numbers(node).await;
    for flap in 0..flaps {
        let running = load(&cluster, ledger, seed.wrapping_add(u64::from(flap) * 1000));
        running.advance(30, "before the flap").await;
        let before = running.acknowledged();
        cluster.kill_node(node);
        state(&cluster, &numbers, DiskState::Unavailable).await;
        running.advance(30, "without the node").await;
        cluster.start_node(node).await;
        state(&cluster, &numbers, DiskState::Active).await;
        written += running.acknowledged() - before;
        ledger = running.stop_kept().await;
    }
    kept(&cluster, &mut ledger, "after the flaps").await;
    data.assert_reads(&cluster.account(0), "after the flaps").await;
    // Ends the sessions, so that the shards of failed writes are garbage.
    cluster.restart_gateways().await;
    cairn_tests::offline::settled(cluster.admin(), "after the flaps").await;
    let repair = cluster.admin().repair().await.unwrap();
    // What was written to five nodes has two shards on one of them, and one of the two moves to the sixth.
    let bound = u64::from(flaps) * MOVED_BYTES_PER_FLAP + written * SHARD_BYTES_MAX;
    eprintln!(
        "{flaps} flaps: {} bytes in {} shards were rebuilt, {bound} allowed",
        repair.done_bytes, repair.done_shards
    );
    assert!(repair.done_bytes <= bound, "I25: {repair:?}");
    cluster.stop_sound("after the flaps").await;
}
