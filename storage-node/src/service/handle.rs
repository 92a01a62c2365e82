//! The storage node as its own process calls it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::footprint;
use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskId, NodeId, SessionId};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::sync::IgnorePoison;
use cairn_core::threads::Threads;
use cairn_protocol::storage::{
    DeleteOrder, DeleteProof, NodeStatus, RebuildOrder, RebuildReport, ShardWriter, StorageError, StorageErrorKind,
    StorageNode,
};
use tokio::sync::oneshot;

use super::abandoned;
use super::disks::{absence, take_more};
use super::error::StartError;
use super::node::Node;
#[cfg(test)]
use super::node::REBUILD_MEMORY_BYTES;
use super::rebuild;
use super::rebuild_fence::RebuildFence;
#[cfg(test)]
use crate::disk_io::Latency;
use crate::store::DiskStore;

/// How long a shutdown waits for the disks.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// How long reading a superblock may take.
const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// A running storage node. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    node: Arc<Node>,
}

impl Handle {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    pub fn id(&self) -> NodeId {
        self.node.id
    }

    /// Whether the node is registered and every disk is in service or known to be out of it.
    pub fn is_ready(&self) -> bool {
        self.node.is_settled.load(Ordering::Acquire)
    }

    /// Reads cells as they are on disk, a checksum after each.
    pub async fn read_body(
        &self,
        disk: DiskId,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Bytes, StorageError> {
        self.store(disk)?.read_body(shard, geometry, stripes).await
    }

    /// Adds the disk directories that the node does not have yet, and returns them. Blocks on the disks for a short time:
    /// registration and service follow.
    ///
    /// # Errors
    /// If the node's own state cannot be written. The directories before the one that failed are added.
    pub fn add_disks(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
        take_more(&self.node, paths)
    }

    /// Stops the node: carries out the requests that wait, syncs, and remembers the newest commit. Bounded in time; what is
    /// not done by then was not acknowledged.
    pub async fn shutdown(&self) {
        self.node.stop.send_replace(true);
        self.node.dependencies.peers.remove_local(self.node.id);
        let tasks = std::mem::take(&mut *self.node.tasks.lock().ignore_poison());
        for task in tasks {
            let _ = task.await;
        }
        let slots = self.node.slots();
        let stores = slots.iter().filter_map(|slot| slot.stop());
        let threads = self.node.dependencies.threads.as_ref();
        let closing: Vec<_> = stores.map(|store| close(threads, store)).collect();
        let closed = async {
            for done in closing {
                let _ = done.await;
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, closed).await.is_err() {
            tracing::warn!("a disk was not closed within {CLOSE_LIMIT:?}: stopping without it");
        }
        let newest = self.node.watches().seen();
        if let Err(error) = self.node.remember(|state| state.seen = newest) {
            tracing::warn!(%error, "cannot remember the newest commit");
        }
    }

    /// How long the operations of a disk take, for a test that lets one hang.
    #[cfg(test)]
    pub(super) fn latency(&self, disk: DiskId) -> Arc<Latency> {
        Arc::clone(&self.node.slot(disk).unwrap().latency)
    }

    /// Leaves no memory for rebuilds, for a test that lets one wait.
    #[cfg(test)]
    pub(super) async fn take_all_rebuild_memory(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.node.take_rebuild_memory(REBUILD_MEMORY_BYTES).await.unwrap()
    }

    fn check_write(&self, disk: DiskId, session: SessionId) -> Result<(), StorageError> {
        let allowed = self.node.watches().check_write(session);
        allowed.map_err(|refusal| StorageError::new(refusal.kind, disk, refusal.why))
    }

    fn store(&self, disk: DiskId) -> Result<DiskStore, StorageError> {
        let slot = self.node.slot(disk).ok_or_else(|| {
            let detail = format!("node {} has no such disk", self.node.options.name);
            StorageError::new(StorageErrorKind::NoSuchDisk, disk, detail)
        })?;
        slot.store()
    }
}

impl Handle {
    /// Checks that the disk is in its directory now. The index in memory does not notice that a disk was just pulled, and
    /// metadata relies on an inventory (I10).
    async fn look(&self, disk: DiskId) -> Result<(), StorageError> {
        self.store(disk)?;
        let (Some(slot), Some(cluster)) = (self.node.slot(disk), self.node.cluster()) else { return Ok(()) };
        let looked = tokio::task::spawn_blocking(move || absence(&slot, cluster));
        let absent = |why| StorageError::new(StorageErrorKind::NoSuchDisk, disk, why);
        match tokio::time::timeout(LOOK_LIMIT, looked).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(why))) => Err(absent(why)),
            Ok(Err(broken)) => Err(StorageError::new(StorageErrorKind::Failed, disk, broken.to_string())),
            Err(_) => {
                let why = format!("its superblock was not read within {LOOK_LIMIT:?}: check the kernel log");
                Err(StorageError::new(StorageErrorKind::Unreachable, disk, why))
            }
        }
    }
}

/// Closes a store on a thread of its own; the receiver waits for it.
fn close(threads: &dyn Threads, store: DiskStore) -> oneshot::Receiver<()> {
    let (done, wait) = oneshot::channel();
    let body = move || {
        store.close();
        drop(store);
        let _ = done.send(());
    };
    // Without a thread the receiver fails at once, and the store closes when its last clone is dropped.
    let _ = threads.spawn("disk-close", Box::new(body));
    wait
}

#[async_trait]
impl StorageNode for Handle {
    async fn put_shard(&self, disk: DiskId, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError> {
        self.check_write(disk, header.id.extent.session)?;
        self.store(disk)?.put_shard(header, cells).await
    }

    async fn open_shard(&self, disk: DiskId, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError> {
        self.check_write(disk, header.id.extent.session)?;
        self.store(disk)?.open_shard(header).await
    }

    async fn read_cells(
        &self,
        disk: DiskId,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Vec<Cell>, StorageError> {
        self.store(disk)?.read_cells(shard, geometry, stripes).await
    }

    async fn delete_shards(&self, disk: DiskId, order: DeleteOrder) -> Result<(), StorageError> {
        let store = self.store(disk)?;
        let allowed = self.node.watches().check(&order);
        allowed.map_err(|why| {
            tracing::error!(%disk, shards = order.shards.len(), "refusing an order to delete: {why}");
            StorageError::new(StorageErrorKind::Refused, disk, why)
        })?;
        let rebuilt = self.node.fence().hit(disk, &order);
        if let Some(shard) = rebuilt {
            let why = format!("{shard} has been rebuilt since the order was given");
            return Err(StorageError::new(StorageErrorKind::Refused, disk, why));
        }
        if let DeleteProof::Aborted(_) = order.proof {
            abandoned::prove(self.node.dependencies.metadata.as_ref(), disk, &order.shards).await?;
        }
        store.delete_shards(order).await
    }

    async fn inventory(&self, disk: DiskId, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
        if after.is_none() {
            self.look(disk).await?;
        }
        self.store(disk)?.inventory(after, limit).await
    }

    async fn end_doubt(&self, disk: DiskId, doubt: u64) -> Result<(), StorageError> {
        self.store(disk)?;
        if let Some(slot) = self.node.slot(disk) {
            slot.end_doubt(doubt);
        }
        Ok(())
    }

    async fn start_scrub(&self, disk: DiskId) -> Result<(), StorageError> {
        self.store(disk)?.start_scrub();
        Ok(())
    }

    async fn describe_shard(&self, disk: DiskId, shard: ShardId) -> Result<ShardHeader, StorageError> {
        self.store(disk)?.describe_shard(shard).await
    }

    async fn rebuild_shard(&self, order: RebuildOrder) -> Result<RebuildReport, StorageError> {
        let disk = order.disk;
        self.check_write(disk, order.shard.extent.session)?;
        self.store(disk)?;
        let Ok(_running) = self.node.rebuilds.try_acquire() else {
            let why = format!("node {} has as many rebuilds under way as it may have", self.node.options.name);
            return Err(StorageError::new(StorageErrorKind::Busy, disk, why));
        };
        let invalid = |detail: String| StorageError::new(StorageErrorKind::Invalid, disk, detail);
        order.geometry.check().map_err(|e| invalid(e.to_string()))?;
        let bytes = footprint::rebuild(&order.geometry);
        let memory = self.node.take_rebuild_memory(bytes).await;
        let _memory = memory.ok_or_else(|| invalid(format!("{} takes {bytes} bytes of memory", order.shard)))?;
        let floor = self.node.watches().floor(order.grant.group());
        let begin = |mut fence: MutexGuard<'_, RebuildFence>| fence.begin(disk, order.shard, order.grant, floor);
        begin(self.node.fence());
        rebuild::run(self, self.node.dependencies.peers.clone(), order).await
    }

    async fn status(&self) -> Result<NodeStatus, StorageError> {
        Ok(self.node.report(|_| true))
    }
}
