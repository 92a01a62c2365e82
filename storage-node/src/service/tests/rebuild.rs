//! Rebuilds on the node that will hold the shard.

use std::future::poll_fn;
use std::task::Poll;

use cairn_core::testing::commit_at;
use cairn_protocol::storage::RebuildOrder;

use super::*;

/// A rebuild waits for its memory before it reads anything, and gives it back.
#[tokio::test]
async fn rebuilds_take_their_memory_from_what_the_node_has_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let node = start(directory.path(), 1, &Arc::new(MemoryMetadata::new(1)));
    let disk = wait_for(&node, &[DiskState::Active]).await[0].disk;
    let (ShardHeader { id, profile, geometry, .. }, _) = content(shard(1, 1), 3_000_000);
    // Without a source it ends at once, if it begins.
    let order = RebuildOrder { disk, shard: id, profile, geometry, grant: commit_at(1), sources: Vec::new() };
    for _ in 0..3 {
        let others = node.take_all_rebuild_memory().await;
        let mut rebuild = std::pin::pin!(node.rebuild_shard(order.clone()));
        let begun = poll_fn(|context| Poll::Ready(rebuild.as_mut().poll(context).is_ready())).await;
        assert!(!begun, "it began without its memory");
        drop(others);
        assert!(rebuild.await.unwrap().failure.is_some());
    }
}
