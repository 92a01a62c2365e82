//! A storage node in front of the real one that injects faults of disks and networks.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{
    DeleteOrder, NodeStatus, RebuildOrder, RebuildReport, ShardWriter, StorageError, StorageErrorKind, StorageNode,
};

/// What happens to reads of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFault {
    /// The disk does not hold the shard.
    Missing,
    /// One bit of every cell flips, after the disk's own checks.
    Corrupt,
    /// One bit of the cells from this stripe on flips.
    CorruptFrom(u32),
    /// One bit of this stripe's cell flips.
    CorruptAt(u32),
    /// The request fails at once.
    Unreachable,
    /// The answer never comes.
    Slow,
    /// Returns the cells of another shard, from an earlier write of the same key.
    Stale(ShardId),
}

/// What happens to writes to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// The write is refused at once.
    Refused,
    /// A stream breaks in the middle; a whole shard is refused.
    Breaks,
    /// The sync at the end fails.
    Unsynced,
    /// The shard is stored and the answer is lost.
    AnswerLost,
    /// No call ever returns.
    Stalled,
    /// A shard is rebuilt, and its answer comes after this time.
    Late(Duration),
}

/// The faults in force. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    reads: Arc<Mutex<HashMap<DiskId, ReadFault>>>,
    writes: Arc<Mutex<HashMap<DiskId, WriteFault>>>,
    /// How many of the next deletions fail.
    deletions: Arc<AtomicU32>,
}

impl Faults {
    /// Reads of exactly these disks fail.
    pub(crate) fn reads(&self, faults: impl IntoIterator<Item = (DiskId, ReadFault)>) {
        *self.reads.lock().unwrap() = faults.into_iter().collect();
    }

    /// Writes to exactly these disks fail.
    pub(crate) fn writes(&self, faults: impl IntoIterator<Item = (DiskId, WriteFault)>) {
        *self.writes.lock().unwrap() = faults.into_iter().collect();
    }

    /// The next `count` orders to delete fail.
    pub(crate) fn deletions(&self, count: u32) {
        self.deletions.store(count, Ordering::Relaxed);
    }

    /// How many deletions are still to fail.
    pub(crate) fn deletions_left(&self) -> u32 {
        self.deletions.load(Ordering::Relaxed)
    }

    fn deletion_fails(&self) -> bool {
        self.deletions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn read(&self, disk: DiskId) -> Option<ReadFault> {
        self.reads.lock().unwrap().get(&disk).copied()
    }

    fn write(&self, disk: DiskId) -> Option<WriteFault> {
        self.writes.lock().unwrap().get(&disk).copied()
    }
}

/// The real node behind faults.
pub(crate) struct FaultyNode {
    inner: Arc<dyn StorageNode>,
    faults: Faults,
}

impl FaultyNode {
    pub(crate) fn new(inner: Arc<dyn StorageNode>, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

fn error(kind: StorageErrorKind, disk: DiskId) -> StorageError {
    StorageError::new(kind, disk, "injected")
}

fn flip(cell: &Cell) -> Cell {
    let mut data = BytesMut::from(&cell.data[..]);
    let middle = data.len() / 2;
    data[middle] ^= 1;
    Cell { data: data.freeze(), checksum: cell.checksum }
}

#[async_trait]
impl StorageNode for FaultyNode {
    async fn put_shard(&self, disk: DiskId, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError> {
        match self.faults.write(disk) {
            None => self.inner.put_shard(disk, header, cells).await,
            Some(WriteFault::AnswerLost) => {
                self.inner.put_shard(disk, header, cells).await?;
                Err(error(StorageErrorKind::Unreachable, disk))
            }
            Some(WriteFault::Stalled) => std::future::pending().await,
            Some(_) => Err(error(StorageErrorKind::Failed, disk)),
        }
    }

    async fn open_shard(&self, disk: DiskId, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError> {
        match self.faults.write(disk) {
            None => self.inner.open_shard(disk, header).await,
            Some(WriteFault::Refused) => Err(error(StorageErrorKind::Full, disk)),
            Some(WriteFault::Stalled) => std::future::pending().await,
            Some(fault) => {
                let inner = self.inner.open_shard(disk, header).await?;
                Ok(Box::new(FaultyWriter { inner, fault, disk, appended: 0 }))
            }
        }
    }

    async fn read_cells(
        &self,
        disk: DiskId,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Vec<Cell>, StorageError> {
        let fault = self.faults.read(disk);
        let shard = if let Some(ReadFault::Stale(other)) = fault { other } else { shard };
        let corrupt = |stripe| match fault {
            Some(ReadFault::Corrupt) => true,
            Some(ReadFault::CorruptFrom(first)) => stripe >= first,
            Some(ReadFault::CorruptAt(at)) => stripe == at,
            _ => false,
        };
        match fault {
            Some(ReadFault::Missing) => return Err(error(StorageErrorKind::Missing, disk)),
            Some(ReadFault::Unreachable) => return Err(error(StorageErrorKind::Unreachable, disk)),
            Some(ReadFault::Slow) => std::future::pending::<()>().await,
            _ => {}
        }
        let cells = self.inner.read_cells(disk, shard, geometry, stripes.clone()).await?;
        Ok(stripes.zip(cells).map(|(stripe, cell)| if corrupt(stripe) { flip(&cell) } else { cell }).collect())
    }

    async fn delete_shards(&self, disk: DiskId, order: DeleteOrder) -> Result<(), StorageError> {
        if self.faults.deletion_fails() {
            return Err(error(StorageErrorKind::Unreachable, disk));
        }
        self.inner.delete_shards(disk, order).await
    }

    async fn inventory(&self, disk: DiskId, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
        self.inner.inventory(disk, after, limit).await
    }

    async fn end_doubt(&self, disk: DiskId, doubt: u64) -> Result<(), StorageError> {
        self.inner.end_doubt(disk, doubt).await
    }

    async fn start_scrub(&self, disk: DiskId) -> Result<(), StorageError> {
        self.inner.start_scrub(disk).await
    }

    async fn describe_shard(&self, disk: DiskId, shard: ShardId) -> Result<ShardHeader, StorageError> {
        self.inner.describe_shard(disk, shard).await
    }

    async fn rebuild_shard(&self, order: RebuildOrder) -> Result<RebuildReport, StorageError> {
        match self.faults.write(order.disk) {
            None => self.inner.rebuild_shard(order).await,
            Some(WriteFault::AnswerLost) => {
                let disk = order.disk;
                self.inner.rebuild_shard(order).await?;
                Err(error(StorageErrorKind::Unreachable, disk))
            }
            Some(WriteFault::Stalled) => std::future::pending().await,
            Some(WriteFault::Late(time)) => {
                let report = self.inner.rebuild_shard(order).await;
                tokio::time::sleep(time).await;
                report
            }
            Some(_) => Err(error(StorageErrorKind::Failed, order.disk)),
        }
    }

    async fn status(&self) -> Result<NodeStatus, StorageError> {
        self.inner.status().await
    }
}

struct FaultyWriter {
    inner: Box<dyn ShardWriter>,
    fault: WriteFault,
    disk: DiskId,
    appended: usize,
}

#[async_trait]
impl ShardWriter for FaultyWriter {
    async fn append(&mut self, cells: Vec<Cell>) -> Result<(), StorageError> {
        self.appended += 1;
        if self.fault == WriteFault::Breaks && self.appended > 1 {
            return Err(error(StorageErrorKind::Unreachable, self.disk));
        }
        self.inner.append(cells).await
    }

    async fn finish(self: Box<Self>) -> Result<(), StorageError> {
        if self.fault == WriteFault::Unsynced {
            return Err(error(StorageErrorKind::Failed, self.disk));
        }
        self.inner.finish().await?;
        Err(error(StorageErrorKind::Unreachable, self.disk))
    }
}
