//! Cleans up after writes that were not committed.

use std::collections::HashMap;
use std::time::Duration;

use cairn_core::id::{DiskNumber, SessionId};
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::{ExtentRun, PlacedExtent, PlacedRun};
use cairn_protocol::storage::{DeleteOrder, DeleteProof};

use crate::data::DataPath;

/// The extents of a body while nobody has been asked to commit them. Dropping it deletes their shards: the client went
/// away, or the write failed.
pub(super) struct UncommittedRun {
    path: DataPath,
    placed: Option<PlacedRun>,
}

impl UncommittedRun {
    pub(super) fn new(path: DataPath, run: ExtentRun) -> Self {
        Self { path, placed: Some(PlacedRun { run, extents: Vec::new() }) }
    }

    /// An extent is about to be sent to these places.
    pub(super) fn attempt(&mut self, extent: PlacedExtent) {
        if let Some(placed) = &mut self.placed {
            placed.extents.push(extent);
        }
    }

    /// The last extent became durable in these places.
    pub(super) fn settle(&mut self, extent: PlacedExtent) {
        if let Some(last) = self.placed.as_mut().and_then(|p| p.extents.last_mut()) {
            *last = extent;
        }
    }

    pub(super) fn session(&self) -> SessionId {
        self.placed.as_ref().map_or(SessionId(0), |p| p.run.first.session)
    }

    /// The run, for its commit. Nothing is cleaned up any more.
    pub(super) fn into_placed(mut self) -> PlacedRun {
        let empty = ExtentRun { first: cairn_core::id::ExtentId::new(SessionId(0), 0), size: 0, extent_bytes: 1 };
        self.placed.take().unwrap_or(PlacedRun { run: empty, extents: Vec::new() })
    }
}

impl Drop for UncommittedRun {
    fn drop(&mut self) {
        if let Some(placed) = self.placed.take() {
            self.path.discard(&placed);
        }
    }
}

/// Shards in one order.
const ORDER_SHARDS_MAX: usize = 1000;
/// Attempts to reach a disk. A shard that outlives them is collected when this gateway's session ends.
const ATTEMPTS: u32 = 60;
/// Time between two attempts.
const RETRY: Duration = Duration::from_secs(5);

impl DataPath {
    /// Deletes the shards of a run whose commit was refused. Only this gateway could have committed them, and it will
    /// not (I13). Returns at once; the work goes on in the background.
    pub fn discard(&self, placed: &PlacedRun) {
        let mut by_disk: HashMap<DiskNumber, Vec<ShardId>> = HashMap::new();
        for (id, extent) in placed.run.ids().zip(&placed.extents) {
            for (index, disk) in extent.locations.iter().enumerate() {
                if let Some(disk) = disk {
                    by_disk.entry(*disk).or_default().push(ShardId { extent: id, index: index as u8 });
                }
            }
        }
        // Outside a runtime the process is ending, and the end of its session will free the shards.
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
            // The client is looked up anew each time: the node may have come back at another address.
            let client = path.view.get().and_then(|map| path.disk(&map, disk));
            let Some(client) = client else {
                tracing::debug!(%disk, "the cluster map does not know the disk of an aborted write");
                return;
            };
            match client.node.delete_shards(client.id, order.clone()).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::debug!(%disk, attempt, %error, "cannot discard shards of an aborted write yet");
                }
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
