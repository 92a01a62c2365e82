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

/// A process that owns disks. Every call names the disk, because one slow or broken disk is nobody else's matter.
#[warn(missing_docs)]
#[async_trait]
pub trait StorageNode: Send + Sync + 'static {
    /// Stores a whole shard; returns once it is on stable storage (I1).
    async fn put_shard(&self, disk: DiskId, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError>;

    /// Reserves space for a shard that arrives piece by piece.
    async fn open_shard(&self, disk: DiskId, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError>;

    /// Reads the cells of `stripes`, at most [`cairn_core::limits::CELLS_PER_READ_MAX`], without verifying them: the
    /// caller does, so that disk, network and memory are covered by one check (I6).
    async fn read_cells(
        &self,
        disk: DiskId,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Vec<Cell>, StorageError>;

    /// Deletes shards; returns once the tombstones are on stable storage. Shards that are not there count as deleted.
    async fn delete_shards(&self, disk: DiskId, order: DeleteOrder) -> Result<(), StorageError>;

    /// The shards on a disk, in the order of their ids, after `after`, at most `limit`.
    async fn inventory(&self, disk: DiskId, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError>;

    /// Starts a scrub cycle of a disk now, as fast as scrubs may run; one that is under way goes on that fast.
    async fn start_scrub(&self, disk: DiskId) -> Result<(), StorageError>;

    /// What a shard says of itself, after a check of its header. The descriptor of a rebuilt shard comes from here (I16).
    async fn describe_shard(&self, disk: DiskId, shard: ShardId) -> Result<ShardHeader, StorageError>;

    /// Makes a shard anew on a disk of this node out of others, each cell of which is verified (I6). A report without a
    /// failure means that it is on stable storage.
    async fn rebuild_shard(&self, order: RebuildOrder) -> Result<RebuildReport, StorageError>;

    /// The state of the node and its disks.
    async fn status(&self) -> Result<NodeStatus, StorageError>;
}

/// A shard on its way to disk. Dropping it without [`ShardWriter::finish`] abandons the shard and frees its space.
#[warn(missing_docs)]
#[async_trait]
pub trait ShardWriter: Send {
    /// Appends the next cells. Returns when they are taken over, which bounds what is under way.
    async fn append(&mut self, cells: Vec<Cell>) -> Result<(), StorageError>;

    /// Ends the shard; returns once it is on stable storage (I1). It is an error if cells are missing.
    async fn finish(self: Box<Self>) -> Result<(), StorageError>;
}
