//! A node comes back with what was deleted and overwritten while it was away.

use cairn_tests::{Ledger, ProcessCluster, Tuning, audit, eventually, seed};

use super::*;

/// A grace period that is over soon: the shards of the node are made anew before it returns.
const GIVEN_UP: Tuning = Tuning { repair_grace_s: 1, node_silence_s: 2, ..Tuning::DEFAULT };
/// One that is not: the node returns to what it held, and deletions have waited for it.
const WAITED_FOR: Tuning = Tuning { repair_grace_s: 600, node_silence_s: 2, ..Tuning::DEFAULT };

async fn a_node_returns(tuning: Tuning) {
    let seed = seed();
    let mut cluster = ProcessCluster::start_tuned(DISKS_PER_NODE, tuning).await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let running = load(&cluster, Ledger::new(), seed);
    running.advance(80, "with all nodes").await;
    cluster.kill_node(4);
    // Most of the keys are overwritten or deleted meanwhile.
    running.advance(150, "without a node").await;
    let ledger = running.stop_kept().await;
    if tuning.repair_grace_s == GIVEN_UP.repair_grace_s {
        eventually("the node is given up", LIMIT, async || {
            let disks = cluster.admin().cluster().await.map_err(|e| e.to_string())?.disks;
            if disks.failed == DISKS_PER_NODE as u64 { Ok(()) } else { Err(format!("{disks:?}")) }
        })
        .await;
    }
    let mut ledger = ledger;
    kept(&cluster, &mut ledger, "without the node").await;
    cluster.start_node(4).await;
    // From the first moment on.
    kept(&cluster, &mut ledger, "as the node returns").await;
    cluster.wait_disks_active().await;
    kept(&cluster, &mut ledger, "with the node back").await;
    let running = load(&cluster, ledger, seed + 1000);
    running.advance(40, "with the node back").await;
    let mut ledger = running.stop_kept().await;
    audit::abort_uploads(&mut cluster.client(0), BUCKET).await.unwrap();
    kept(&cluster, &mut ledger, "at the end").await;
    cluster.stop_sound("with the node back").await;
    // What the audit of the stopped cluster has counted is what starts again.
    cluster.start_missing().await;
    kept(&cluster, &mut ledger, "started again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_waited_for_brings_nothing_back() {
    a_node_returns(WAITED_FOR).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_given_up_brings_nothing_back() {
    a_node_returns(GIVEN_UP).await;
}
