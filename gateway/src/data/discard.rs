//! Deletes the shards of writes that will never be committed.

use std::collections::HashMap;
use std::time::Duration;

use cairn_core::id::{DiskNumber, SessionId};
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::PlacedRun;
use cairn_protocol::storage::{DeleteOrder, DeleteProof};

use super::path::DataPath;

/// Shards in one order.
const ORDER_SHARDS_MAX: usize = 1000;
/// Attempts to reach a disk. A shard that outlives them is collected when this gateway's session ends.
const ATTEMPTS: u32 = 60;
/// Time between two attempts.
const RETRY: Duration = Duration::from_secs(5);

impl DataPath {
    /// Deletes the shards of a run whose commit was refused. Only this gateway could have committed them, and it will
    /// not (I13). Returns at once and works in the background.
    pub fn discard(&self, placed: &PlacedRun) {
        let mut by_disk: HashMap<DiskNumber, Vec<ShardId>> = HashMap::new();
        for (id, extent) in placed.run.ids().zip(&placed.extents) {
            for (index, disk) in extent.locations.iter().enumerate() {
                if let Some(disk) = disk {
                    by_disk.entry(*disk).or_default().push(ShardId { extent: id, index: index as u8 });
                }
            }
        }
        // Without a runtime the process is ending, and the end of its session will free the shards.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let session = placed.run.first.session;
        for (disk, shards) in by_disk {
            runtime.spawn(discard_on(self.clone(), disk, session, shards));
        }
    }
}

async fn discard_on(path: DataPath, disk: DiskNumber, session: SessionId, shards: Vec<ShardId>) {
    for chunk in shards.chunks(ORDER_SHARDS_MAX) {
        let order = DeleteOrder { proof: DeleteProof::Aborted(session), shards: chunk.to_vec() };
        for attempt in 1..=ATTEMPTS {
            // The client is looked up for each attempt: the node may have come back at another address.
            let client = path.view.get().and_then(|map| path.disk(&map, disk));
            let Some(client) = client else {
                tracing::debug!(%disk, "the cluster map does not know the disk of an aborted write; leaving its shards");
                return;
            };
            match client.node.delete_shards(client.id, order.clone()).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::debug!(%disk, attempt, %error, "could not discard shards of an aborted write; retrying");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
