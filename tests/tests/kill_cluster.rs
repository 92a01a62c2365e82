//! Members of a cluster of processes are killed in the middle of parallel uploads.
//!
//! Covers I1, I7, I12, I13, I19 and I29 over real connections: acknowledged objects read back byte for byte while the
//! dead are dead and after they return, and what was not acknowledged leaves no garbage.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cairn_tests::{Ledger, Load, Mix, ProcessCluster, RunningLoad, audit, seed, wait_until};

const BUCKET: &str = "killed";
const WORKERS: u32 = 8;
/// Acknowledgements between two faults.
const BETWEEN: u64 = 60;
/// How long the load may take to get them, with a member dead.
const LIMIT: Duration = Duration::from_mins(2);

async fn more(load: &RunningLoad, when: &str) {
    let enough = load.acknowledged() + BETWEEN;
    wait_until(&format!("uploads go on {when}"), LIMIT, async || load.acknowledged() >= enough).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_and_a_killed_gateway_lose_nothing() {
    let seed = seed();
    let mut cluster = ProcessCluster::start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let load =
        Load { accounts: cluster.accounts(), bucket: BUCKET.to_owned(), mix: Mix::default(), workers: WORKERS, seed };
    let running = load.start(Ledger::new());
    more(&running, "with everybody alive").await;
    cluster.kill_node(2);
    more(&running, "without node3").await;
    cluster.kill_gateway(0);
    more(&running, "without node3 and gateway1").await;
    let (mut ledger, stats) = running.stop().await;
    eprintln!(
        "{} acknowledged, {} unknown, {} refused, {} read",
        stats.acknowledged, stats.unknown, stats.refused, stats.reads
    );
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    audit::assert_kept(&cluster.account(1), BUCKET, &mut ledger, "without node3 and gateway1").await;

    cluster.start_missing().await;
    for gateway in 0..2 {
        let when = format!("with everybody back, through gateway{}", gateway + 1);
        audit::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, &when).await;
    }
    let mut client = cluster.client(0);
    audit::abort_uploads(&mut client, BUCKET).await.unwrap();
    // A gateway that lives may keep what it failed to abort on the dead node until its session ends.
    cluster.restart_gateways().await;
    audit::assert_shards(cluster.admin(), ledger.shards_min()..=ledger.shards()).await;
    audit::assert_kept(&cluster.account(1), BUCKET, &mut ledger, "after garbage was collected").await;
    audit::delete_all(&mut cluster.client(0), BUCKET).await.unwrap();
    audit::assert_shards(cluster.admin(), 0..=0).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_metadata_member_loses_nothing() {
    let seed = seed();
    let mut cluster = ProcessCluster::start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let load =
        Load { accounts: cluster.accounts(), bucket: BUCKET.to_owned(), mix: Mix::default(), workers: WORKERS, seed };
    let running = load.start(Ledger::new());
    more(&running, "with everybody alive").await;
    cluster.kill_metadata();
    cluster.start_missing().await;
    more(&running, "with the metadata member back").await;
    let (mut ledger, stats) = running.stop().await;
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    audit::assert_kept(&cluster.account(0), BUCKET, &mut ledger, "with the metadata member back").await;
    cluster.stop().await;
}
