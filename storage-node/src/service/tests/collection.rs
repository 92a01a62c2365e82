//! Deletion needs proof (I13, I15).

use cairn_core::testing::commit_at;
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageErrorKind};

use super::*;

#[tokio::test]
async fn shards_are_collected_only_if_they_are_provably_garbage() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let options = Options { collect_interval: Duration::from_millis(20), ..options(directory.path(), 1) };
    let node = StorageNodeService::start(options, dependencies(&metadata)).unwrap();
    let disk = wait_for(&node, &[DiskState::Active]).await[0].disk;
    for n in 0..30 {
        put(&node, disk, shard(1, n), 100).await;
    }
    metadata.garbage.lock().unwrap().extend((10..20).map(|n| shard(1, n).extent));
    let left = || async {
        let left = node.inventory(disk, None, 100).await.unwrap();
        if left.len() == 20 { Ok(left) } else { Err(left.len()) }
    };
    let left = wait(left).await;
    assert!(left.iter().all(|id| !(10..20).contains(&id.extent.counter)));
    node.shutdown().await;
}

#[tokio::test]
async fn orders_that_are_older_than_what_was_seen_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 1, &metadata);
    let disk = wait_for(&node, &[DiskState::Active]).await[0].disk;
    put(&node, disk, shard(1, 1), 100).await;
    wait(|| async { metadata.heard.lock().unwrap().clone().ok_or(()) }).await;
    node.shutdown().await;
    drop(node);

    // The metadata service comes back from an old backup.
    metadata.commit.store(50, Ordering::SeqCst);
    metadata.garbage.lock().unwrap().insert(shard(1, 1).extent);
    let options = Options { collect_interval: Duration::from_millis(20), ..options(directory.path(), 1) };
    let node = StorageNodeService::start(options, dependencies(&metadata)).unwrap();
    wait_for(&node, &[DiskState::Active]).await;
    *metadata.heard.lock().unwrap() = None;
    let order = |proof| DeleteOrder { proof, shards: vec![shard(1, 1)] };
    let refused = |proof| {
        let (node, order) = (node.clone(), order(proof));
        async move { assert_eq!(node.delete_shards(disk, order).await.unwrap_err().kind, StorageErrorKind::Refused) }
    };
    refused(DeleteProof::Committed(commit_at(50))).await;
    refused(DeleteProof::Aborted(SessionId(2))).await;
    wait(|| async { metadata.heard.lock().unwrap().clone().ok_or(()) }).await;
    wait(|| async {
        let order = order(DeleteProof::Committed(commit_at(1000)));
        node.delete_shards(disk, order)
            .await
            .map_or_else(|e| if e.detail.contains("caught up") { Ok(()) } else { Err(e) }, |()| panic!("deleted"))
    })
    .await;
    check(&node, disk, shard(1, 1), 100).await;
    metadata.commit.store(100, Ordering::SeqCst);
    wait(|| async { node.delete_shards(disk, order(DeleteProof::Committed(commit_at(100)))).await }).await;
    assert_eq!(node.inventory(disk, None, 10).await.unwrap(), []);
    node.shutdown().await;
}

/// I13: what a gateway says of its write is no proof. Only what the metadata service has given up is deleted.
#[tokio::test]
async fn a_committed_shard_stays_whatever_its_writer_believes() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 1, &metadata);
    let disk = wait_for(&node, &[DiskState::Active]).await[0].disk;
    for n in 1..=2 {
        put(&node, disk, shard(4, n), 100).await;
    }
    metadata.committed.lock().unwrap().insert(shard(4, 1).extent);
    let discard = async |shards: &[ShardId]| {
        let order = DeleteOrder { proof: DeleteProof::Aborted(SessionId(4)), shards: shards.to_vec() };
        node.delete_shards(disk, order).await.map_err(|error| error.kind)
    };
    assert_eq!(discard(&[shard(4, 1)]).await, Err(StorageErrorKind::Refused));
    metadata.is_up.store(false, Ordering::SeqCst);
    assert_eq!(discard(&[shard(4, 2)]).await, Err(StorageErrorKind::Busy), "unknown is not garbage");
    assert_eq!(node.inventory(disk, None, 10).await.unwrap(), [shard(4, 1), shard(4, 2)]);
    metadata.is_up.store(true, Ordering::SeqCst);
    assert_eq!(discard(&[shard(4, 2)]).await, Ok(()));
    check(&node, disk, shard(4, 1), 100).await;
    node.shutdown().await;
}

/// The metadata was put back from before the node registered, and the node has gone on running.
#[tokio::test]
async fn a_node_that_is_not_known_any_more_registers_again() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 1, &metadata);
    wait_for(&node, &[DiskState::Active]).await;
    let registered = || metadata.registered.lock().unwrap().len();
    let before = registered();
    metadata.has_forgotten.store(true, Ordering::SeqCst);
    wait(|| async { if registered() > before { Ok(()) } else { Err(registered()) } }).await;
    node.shutdown().await;
}
