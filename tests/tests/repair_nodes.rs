//! Nodes are lost for good, one after the other, under load; their shards are rebuilt on the others, over the network.
//!
//! Covers I7, I11 and I25 to I27 between processes: rebuild orders travel, survivors are read from other nodes, failure
//! domains are kept, the planner is killed in the middle; and I17: what was deleted while a node was away does not
//! return with it; and I10: after each round the audit of the stopped cluster agrees that nothing is at risk. Once the
//! nodes are back, the shards that the others took over are spread again, or else the next pair would take some with it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cairn_tests::{
    Dataset, Ledger, Load, Mix, ProcessCluster, RunningLoad, STORAGE_NODES, Tuning, eventually, ledger_check, seed,
};

const BUCKET: &str = "nodes";
/// A bucket that the load does not change. The load may replace everything else that a node held before the node expires.
const STILL: &str = "still";
/// How long repair may take.
const LIMIT: Duration = Duration::from_mins(3);
/// With two disks a node, four of six nodes can hold 4+2 with two shards each at most.
const DISKS_PER_NODE: usize = 2;
/// Acknowledgements between two faults.
const BETWEEN: u64 = 40;

/// The `round`-th of the 15 pairs of six nodes, in the order of a tournament: three rounds in a row have all nodes. So the
/// next pair to be lost is one that has taken over what the last one held.
fn pair(round: usize) -> (usize, usize) {
    const OTHERS: usize = STORAGE_NODES - 1;
    match (round / 3 % OTHERS, round % 3) {
        (day, 0) => (OTHERS, day),
        (day, n) => ((day + n) % OTHERS, (day + OTHERS - n) % OTHERS),
    }
}

async fn healthy(cluster: &ProcessCluster, when: &str) {
    eventually(&format!("everything is whole {when}"), LIMIT, async || {
        let report = cluster.admin().verify(|_| {}).await.map_err(|e| e.to_string())?;
        let repair = cluster.admin().repair().await.map_err(|e| e.to_string())?;
        if report.is_healthy() { Ok(()) } else { Err(format!("{report:?}, {repair:?}")) }
    })
    .await;
}

fn load(cluster: &ProcessCluster, ledger: Ledger, seed: u64) -> RunningLoad {
    let mix = Mix { sizes: &[100, 16 << 10, 100 << 10, 1 << 20, 6 << 20], ..Mix::default() };
    Load { accounts: cluster.accounts(), bucket: BUCKET.to_owned(), mix, workers: 4, attempts: 1, seed }.start(ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_six_nodes_are_lost_one_during_the_rebuild_of_the_other() {
    let rounds: usize =
        std::env::var("CAIRN_REPAIR_ROUNDS").map_or(2, |text| text.parse().expect("a number of rounds"));
    let seed = seed();
    let tuning = Tuning { repair_grace_s: 1, ..Tuning::default() };
    let mut cluster = ProcessCluster::builder().disks_per_node(DISKS_PER_NODE).tuning(tuning).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let data = Dataset::store(&cluster.account(0), STILL, seed).await;
    let mut ledger = Ledger::new();
    for round in 0..rounds {
        let (first, second) = pair(round);
        let running = load(&cluster, ledger, seed.wrapping_add(round as u64 * 1000));
        running.advance(BETWEEN, "with all nodes").await;
        cluster.kill_node(first);
        running.advance(BETWEEN, "without one node").await;
        eventually("the rebuild of the first has begun", LIMIT, async || {
            let repair = cluster.admin().repair().await.map_err(|e| e.to_string())?;
            if repair.done_shards > 0 { Ok(()) } else { Err(format!("{repair:?}")) }
        })
        .await;
        cluster.kill_node(second);
        cluster.kill_metadata();
        cluster.start_metadata(0).await;
        running.advance(BETWEEN, "without two nodes, and with the planner back").await;
        ledger = running.stop_kept().await;
        healthy(&cluster, "on four of six nodes").await;
        for gateway in 0..2 {
            let when = format!("round {round}, rebuilt, through gateway{}", gateway + 1);
            ledger_check::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, &when).await;
        }
        data.assert_reads(&cluster.account(0), "rebuilt").await;
        cluster.start_missing().await;
        healthy(&cluster, "with the nodes back").await;
        for gateway in 0..2 {
            let when = format!("round {round}, with the nodes back, through gateway{}", gateway + 1);
            ledger_check::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, &when).await;
        }
        cluster.stop_sound(&format!("round {round}, nodes {first} and {second} were lost")).await;
        cluster.start_missing().await;
    }
    ledger_check::delete_all(&mut cluster.client(0), STILL).await.unwrap();
    ledger_check::abort_uploads(&mut cluster.client(0), BUCKET).await.unwrap();
    // Ends the sessions, so that the shards of failed writes are garbage.
    cluster.restart_gateways().await;
    ledger_check::assert_shards(cluster.admin(), ledger.shards_min()..=ledger.shards()).await;
    ledger_check::delete_all(&mut cluster.client(0), BUCKET).await.unwrap();
    ledger_check::assert_shards(cluster.admin(), 0..=0).await;
    cluster.stop().await;
}
