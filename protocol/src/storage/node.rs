//! The calls that a storage node answers.

use std::ops::Range;

use async_trait::async_trait;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use cairn_core::shard::{ShardHeader, ShardId};

use super::delete::DeleteOrder;
use super::error::StorageError;
use super::rebuild::{RebuildOrder, RebuildReport};
use super::status::NodeStatus;

/// A process that owns disks. Every call names the disk, so that a slow or broken one affects no other.
#[warn(missing_docs)]
#[async_trait]
pub trait StorageNode: Send + Sync + 'static {
    /// Stores a whole shard; returns once it is on stable storage (I1).
    async fn put_shard(&self, disk: DiskId, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError>;

    /// Reserves space for a shard that will be appended in pieces.
    async fn open_shard(&self, disk: DiskId, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError>;

    /// Reads the cells of `stripes`, at most [`cairn_core::limits::CELLS_PER_READ_MAX`], without verifying them. The
    /// caller verifies, so that one check covers disk, network and memory (I6).
    async fn read_cells(
        &self,
        disk: DiskId,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Vec<Cell>, StorageError>;

    /// Deletes shards; returns once the tombstones are on stable storage. Missing shards count as deleted.
    async fn delete_shards(&self, disk: DiskId, order: DeleteOrder) -> Result<(), StorageError>;

    /// At most `limit` of a disk's shards, ordered by id, from the first one after `after`.
    async fn inventory(&self, disk: DiskId, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError>;

    /// Tells a disk that its inventory was compared with metadata since it reported this [`super::DiskStatus::doubt`]. Another
    /// doubt, of a later start, stays.
    async fn end_doubt(&self, disk: DiskId, doubt: u64) -> Result<(), StorageError>;

    /// Starts a scrub cycle of a disk at full scrub speed. A running cycle continues at that speed.
    async fn start_scrub(&self, disk: DiskId) -> Result<(), StorageError>;

    /// A shard's header, verified. Rebuilt shards take their descriptor from it (I16).
    async fn describe_shard(&self, disk: DiskId, shard: ShardId) -> Result<ShardHeader, StorageError>;

    /// Rebuilds a shard on a disk of this node from others, and verifies each of their cells (I6). If the report has no
    /// failure, the shard is on stable storage.
    async fn rebuild_shard(&self, order: RebuildOrder) -> Result<RebuildReport, StorageError>;

    /// The state of the node and its disks.
    async fn status(&self) -> Result<NodeStatus, StorageError>;
}

/// A shard on its way to disk. Dropping it without [`ShardWriter::finish`] abandons the shard and frees its space.
#[warn(missing_docs)]
#[async_trait]
pub trait ShardWriter: Send {
    /// Appends the next cells. Returns once there is room for more, which bounds the memory in use.
    async fn append(&mut self, cells: Vec<Cell>) -> Result<(), StorageError>;

    /// Completes the shard; returns once it is on stable storage (I1). Fails if cells are missing.
    async fn finish(self: Box<Self>) -> Result<(), StorageError>;
}
