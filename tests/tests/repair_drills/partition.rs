//! The planner is cut off from half of the nodes, which keep serving.

use cairn_tests::network::Network;
use cairn_tests::{Dataset, Ledger, ProcessCluster, STORAGE_NODES, Tuning, eventually, node_host, seed};

use super::*;

/// The host of the only metadata member.
const PLANNER: u8 = 1;
/// Seconds for which the partition lasts after it was noticed: many grace periods.
const LASTS_S: u64 = 8;

fn network() -> Result<Network, String> {
    let mut network = Network::create()?;
    network.add_host(PLANNER)?;
    for node in 0..STORAGE_NODES {
        network.add_host(node_host(node))?;
    }
    Ok(network)
}

fn part(cluster: &ProcessCluster, is_parted: bool) {
    let network = cluster.network().expect("a network");
    for node in 0..STORAGE_NODES / 2 {
        network.set_parted(PLANNER, node_host(node), is_parted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planner_that_is_cut_off_from_half_of_the_nodes_moves_nothing() {
    let network = match network() {
        Ok(network) => network,
        Err(why) => return eprintln!("SKIPPED, hosts of their own need root and iproute2: {why}"),
    };
    let seed = seed();
    let tuning = Tuning { repair_grace_s: 2, node_silence_s: 2, ..Tuning::default() };
    let mut cluster =
        ProcessCluster::builder().disks_per_node(DISKS_PER_NODE).tuning(tuning).network(Some(network)).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let data = Dataset::store(&cluster.account(0), STILL, seed).await;
    let running = load(&cluster, Ledger::new(), seed);
    running.advance(60, "before the partition").await;
    let before = cluster.admin().repair().await.unwrap().done_bytes;

    part(&cluster, true);
    eventually("the planner reports that it holds back", LIMIT, async || {
        let repair = cluster.admin().repair().await.map_err(|e| e.to_string())?;
        if repair.held_back.len() == STORAGE_NODES / 2 { Ok(()) } else { Err(format!("{repair:?}")) }
    })
    .await;
    // Clients reach all nodes; three of them take 4+2 with two shards each.
    running.advance(20, "during the partition").await;
    tokio::time::sleep(Duration::from_secs(LASTS_S)).await;
    let disks = cluster.admin().cluster().await.unwrap().disks;
    assert_eq!((disks.unavailable, disks.failed), (STORAGE_NODES as u64, 0), "no disk is failed: {disks:?}");
    let moved = cluster.admin().repair().await.unwrap().done_bytes - before;
    assert!(moved <= u64::from(WORKERS) * 2 * OBJECT_BYTES_MAX / 4, "I25: {moved} bytes were rebuilt");
    part(&cluster, false);

    cluster.wait_disks_active().await;
    let mut ledger = running.stop_kept().await;
    let repair = cluster.admin().repair().await.unwrap();
    assert_eq!(repair.held_back, Vec::<String>::new());
    kept(&cluster, &mut ledger, "after the partition").await;
    data.assert_reads(&cluster.account(0), "after the partition").await;
    cluster.stop_sound("after the partition").await;
}
