//! A whole node is drained while the planner and the executors are killed at random.

use cairn_cli::admin::{DiskProgress, DiskState};
use cairn_tests::{Dataset, Ledger, ProcessCluster, STORAGE_NODES, eventually, seed};
use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// The shards that metadata still has on the node's disks.
async fn left(cluster: &ProcessCluster, numbers: &[u64]) -> Result<Vec<DiskProgress>, String> {
    let mut all = Vec::new();
    for number in numbers {
        all.push(cluster.admin().disk(*number).await.map_err(|e| e.to_string())?);
    }
    Ok(all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_drained_while_processes_are_killed() {
    let (seed, kills) = (seed(), count("CAIRN_DRAIN_KILLS", 4));
    let mut random = StdRng::seed_from_u64(seed);
    let mut cluster = ProcessCluster::builder().disks_per_node(DISKS_PER_NODE).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let data = Dataset::store(&cluster.account(0), STILL, seed).await;
    let running = load(&cluster, Ledger::new(), seed);
    running.advance(150, "before the drain").await;
    let node = random.random_range(0..STORAGE_NODES);
    let numbers = cluster.disk_numbers(node).await;
    for number in &numbers {
        let path = format!("/v1/disks/{number}/drain");
        let begun: DiskProgress = cluster.admin().call(Method::POST, &path).await.expect("a drain begins");
        assert!(begun.is_draining, "{begun:?}");
    }
    for _ in 0..kills {
        // The planner, an executor, or the node itself.
        match random.random_range(0..=STORAGE_NODES) {
            0 => {
                cluster.kill_metadata();
                running.advance(0, "without the planner").await;
                cluster.start_metadata(0).await;
            }
            victim => {
                cluster.kill_node(victim - 1);
                running.advance(3, "without an executor").await;
                cluster.start_node(victim - 1).await;
            }
        }
        running.advance(10, "after a kill").await;
    }
    eventually("the drain ends at zero references", LIMIT, async || {
        let left = left(&cluster, &numbers).await?;
        if left.iter().all(|disk| disk.shards_left == 0 && disk.is_draining) {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
    let mut ledger = running.stop_kept().await;
    // Shards of failed writes are garbage once the gateways' sessions have ended. The node collects them while it runs.
    cluster.restart_gateways().await;
    eventually("the drained disks are empty", LIMIT, async || {
        let disks = cluster.admin().disks().await.map_err(|e| e.to_string())?;
        let filled: Vec<_> = disks.iter().filter(|d| numbers.contains(&d.number) && d.shards > 0).collect();
        if filled.is_empty() { Ok(()) } else { Err(format!("{filled:?}")) }
    })
    .await;
    for number in &numbers {
        let path = format!("/v1/disks/{number}");
        let removed: DiskProgress = cluster.admin().call(Method::DELETE, &path).await.expect("an empty disk goes");
        assert_eq!(removed.state, DiskState::Removed);
    }
    cluster.kill_node(node);
    kept(&cluster, &mut ledger, "without the drained node").await;
    data.assert_reads(&cluster.account(0), "without the drained node").await;
    cluster.stop_sound("without the drained node").await;
}
