//! Processes of a cluster are killed during parallel uploads.
//!
//! Covers I1, I7, I12, I13, I19 and I29 over real connections: acknowledged objects read back byte for byte while the
//! dead are dead and after they return, and what was not acknowledged leaves no garbage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it saw"
)]

use std::time::Duration;

use cairn_tests::{
    GATEWAYS, Ledger, Load, Mix, ProcessCluster, RunningLoad, STORAGE_NODES, ledger_check, seed, wait_until,
};

const BUCKET: &str = "killed";
const WORKERS: u32 = 8;
/// Acknowledgements between two faults.
const BETWEEN: u64 = 60;
/// How long the load may take to get them, with a member dead.
const LIMIT: Duration = Duration::from_mins(2);

async fn more(load: &RunningLoad, when: &str) {
    let enough = load.acknowledged() + BETWEEN;
    wait_until(&format!("uploads continue {when}"), LIMIT, async || load.acknowledged() >= enough).await;
}

fn load(cluster: &ProcessCluster, seed: u64) -> Load {
    let (accounts, bucket) = (cluster.accounts(), BUCKET.to_owned());
    Load { accounts, bucket, mix: Mix::default(), workers: WORKERS, attempts: 1, seed }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_and_a_killed_gateway_lose_nothing() {
    let rounds: usize = std::env::var("CAIRN_KILL_ROUNDS").map_or(3, |text| text.parse().expect("a number of rounds"));
    let seed = seed();
    let mut cluster = ProcessCluster::builder().start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let mut ledger = Ledger::new();
    for round in 0..rounds {
        ledger = lose_two(&mut cluster, ledger, round, seed.wrapping_add(round as u64 * 1000)).await;
    }
    let mut client = cluster.client(0);
    ledger_check::abort_uploads(&mut client, BUCKET).await.unwrap();
    // Shards that a living gateway could not abort on the dead node stay until its session ends.
    cluster.restart_gateways().await;
    ledger_check::assert_shards(cluster.admin(), ledger.shards_min()..=ledger.shards()).await;
    ledger_check::assert_kept(&cluster.account(1), BUCKET, &mut ledger, "after garbage was collected").await;
    ledger_check::delete_all(&mut cluster.client(0), BUCKET).await.unwrap();
    ledger_check::assert_shards(cluster.admin(), 0..=0).await;
    cluster.stop().await;
}

/// Kills a storage node and then a gateway under load, checks every promise while they are dead, and brings them back.
async fn lose_two(cluster: &mut ProcessCluster, ledger: Ledger, round: usize, seed: u64) -> Ledger {
    let (node, dead, alive) = (round % STORAGE_NODES, round % GATEWAYS, (round + 1) % GATEWAYS);
    let running = load(cluster, seed).start(ledger);
    more(&running, "with all processes alive").await;
    cluster.kill_node(node);
    more(&running, &format!("without node{}", node + 1)).await;
    cluster.kill_gateway(dead);
    more(&running, &format!("without node{} and gateway{}", node + 1, dead + 1)).await;
    let (mut ledger, stats) = running.stop().await;
    eprintln!(
        "round {round}: {} acknowledged, {} unknown, {} refused, {} read, {} reads failed; {:#?}",
        stats.acknowledged, stats.unknown, stats.refused, stats.reads, stats.read_failures, stats.errors
    );
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    let when = format!("round {round}, without node{} and gateway{}", node + 1, dead + 1);
    ledger_check::assert_kept(&cluster.account(alive), BUCKET, &mut ledger, &when).await;

    cluster.start_missing().await;
    for gateway in 0..GATEWAYS {
        let when = format!("round {round}, with all processes back, through gateway{}", gateway + 1);
        ledger_check::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, &when).await;
    }
    ledger
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_metadata_member_loses_nothing() {
    let seed = seed();
    let mut cluster = ProcessCluster::builder().start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let load = Load {
        accounts: cluster.accounts(),
        bucket: BUCKET.to_owned(),
        mix: Mix::default(),
        workers: WORKERS,
        attempts: 1,
        seed,
    };
    let running = load.start(Ledger::new());
    more(&running, "with all processes alive").await;
    cluster.kill_metadata();
    cluster.start_missing().await;
    more(&running, "with the metadata member back").await;
    let (mut ledger, stats) = running.stop().await;
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    ledger_check::assert_kept(&cluster.account(0), BUCKET, &mut ledger, "with the metadata member back").await;
    cluster.stop().await;
}
