//! A node comes back with what was deleted, overwritten and ended by a lifecycle rule while it was away.

use bytes::Bytes;
use cairn_tests::{
    Content, Ledger, Outcome, ProcessCluster, Tuning, Version, eventually, ledger_check, lifecycle, seed,
};

use super::*;

/// A short grace period: the node's shards are rebuilt before it returns.
const GIVEN_UP: Tuning = Tuning { repair_grace_s: 1, ..WAITED_FOR };
/// A long grace period: the node returns with its shards, and deletions have waited for it.
const WAITED_FOR: Tuning = Tuning { repair_grace_s: 600, node_silence_s: 2, lifecycle_day_s: 1, ..Tuning::DEFAULT };
/// Objects that a lifecycle rule ends while the node is away, of both shapes, so that it holds shards of some of them.
const ENDING: u64 = 24;
const ENDING_PREFIX: &str = "ending/";
const END_THEM: &str = "<Rule><Filter><Prefix>ending/</Prefix></Filter><Status>Enabled</Status>\
                        <Expiration><Days>1</Days></Expiration><AbortIncompleteMultipartUpload>\
                        <DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>";

/// Stores objects and begins an upload that the lifecycle rule will end.
async fn store_ending(cluster: &ProcessCluster) -> Vec<(String, Version)> {
    let mut client = cluster.client(0);
    let mut stored = Vec::new();
    for n in 0..ENDING {
        let (key, content) =
            (format!("{ENDING_PREFIX}{n:02}"), Content::new(n, if n % 2 == 0 { 900 } else { 200_000 }));
        client.put(BUCKET, &key, content.bytes()).await.unwrap();
        stored.push((key, Version::whole(content)));
    }
    let key = format!("{ENDING_PREFIX}upload");
    let upload = client.create_upload(BUCKET, &key).await.unwrap();
    client.upload_part(BUCKET, &key, &upload, 1, Bytes::from(vec![7; 300_000])).await.unwrap();
    stored
}

/// Waits until the rule has ended all of them, and records that.
async fn ended(cluster: &ProcessCluster, ending: Vec<(String, Version)>, ledger: &mut Ledger) {
    let mut client = cluster.client(1);
    eventually("expired objects are gone", LIMIT, async || {
        let listed = client.list_all(BUCKET, ENDING_PREFIX).await.map_err(|e| e.to_string())?.len();
        let uploads = client.list_uploads(BUCKET, None).await.map_err(|e| e.to_string())?.uploads;
        let uploads = uploads.iter().filter(|upload| upload.key.starts_with(ENDING_PREFIX)).count();
        if listed + uploads == 0 { Ok(()) } else { Err(format!("{listed} objects and {uploads} uploads are there")) }
    })
    .await;
    for (key, version) in ending {
        ledger.record(&key, Some(version), Outcome::Yes);
        ledger.record(&key, None, Outcome::Yes);
    }
}

async fn a_node_returns(tuning: Tuning) {
    let seed = seed();
    let mut cluster = ProcessCluster::builder().disks_per_node(DISKS_PER_NODE).tuning(tuning).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let running = load(&cluster, Ledger::new(), seed);
    running.advance(80, "with all nodes").await;
    let ending = store_ending(&cluster).await;
    cluster.kill_node(4);
    lifecycle::set_rules(&mut cluster.client(1), BUCKET, END_THEM).await.unwrap();
    // Most of the keys are overwritten or deleted meanwhile.
    running.advance(150, "without a node").await;
    let mut ledger = running.stop_kept().await;
    ended(&cluster, ending, &mut ledger).await;
    if tuning.repair_grace_s == GIVEN_UP.repair_grace_s {
        eventually("the node has expired", LIMIT, async || {
            let disks = cluster.admin().cluster().await.map_err(|e| e.to_string())?.disks;
            if disks.failed == DISKS_PER_NODE as u64 { Ok(()) } else { Err(format!("{disks:?}")) }
        })
        .await;
    }
    kept(&cluster, &mut ledger, "without the node").await;
    cluster.start_node(4).await;
    // Immediately, before the node is reconciled.
    kept(&cluster, &mut ledger, "as the node returns").await;
    cluster.wait_disks_active().await;
    kept(&cluster, &mut ledger, "with the node back").await;
    let running = load(&cluster, ledger, seed + 1000);
    running.advance(40, "with the node back").await;
    let mut ledger = running.stop_kept().await;
    ledger_check::abort_uploads(&mut cluster.client(0), BUCKET).await.unwrap();
    kept(&cluster, &mut ledger, "at the end").await;
    cluster.stop_sound("with the node back").await;
    // The cluster starts again with exactly what the audit counted.
    cluster.start_missing().await;
    kept(&cluster, &mut ledger, "started again").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_returns_within_the_grace_period_brings_nothing_back() {
    a_node_returns(WAITED_FOR).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_node_that_returns_brings_nothing_back() {
    a_node_returns(GIVEN_UP).await;
}
