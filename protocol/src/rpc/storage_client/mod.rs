//! The storage node over HTTP.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use cairn_core::shard::{ShardHeader, ShardId, split_body};
use http_body_util::BodyExt;
use minicbor::{Decode, Encode};

use super::client::{RpcClient, RpcError, collect, read_answer, read_outcome, split_answer, within};
use super::shard_body::ShardBody;
use super::shard_sender::ShardSender;
use super::storage_message::{
    DeleteShards, DescribeShard, EndDoubt, Inventory, PutShard, ReadCells, ShardDescription, ShardPage, StartScrub,
    StatusRequest, StoragePath,
};
use crate::storage::{
    DeleteOrder, NodeStatus, RebuildOrder, RebuildReport, RemoteNodes, ShardWriter, StorageError, StorageErrorKind,
    StorageNode,
};

/// A storage node in another process.
pub struct HttpStorageNode {
    rpc: RpcClient,
    addr: String,
}

/// Time for a call that waits for stable storage.
const SYNC_LIMIT: Duration = Duration::from_secs(30);
/// Time for space to be reserved, which may wait for a write of the disk's log.
const OPEN_LIMIT: Duration = Duration::from_secs(15);
/// Time for a call that only reads.
const READ_LIMIT: Duration = Duration::from_secs(15);
/// Time for a whole extent to be read from other nodes and stored.
const REBUILD_LIMIT: Duration = Duration::from_mins(5);

impl HttpStorageNode {
    /// The node that listens on `addr` (`host:port`).
    pub fn new(rpc: RpcClient, addr: &str) -> Self {
        Self { rpc, addr: addr.to_owned() }
    }

    async fn call<M, A>(&self, disk: DiskId, path: &str, message: &M, limit: Duration) -> Result<A, StorageError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        let answer = self.rpc.call(&self.addr, path, message, limit).await;
        answer.unwrap_or_else(|error| Err(unreachable(disk, &error)))
    }

    /// Starts the request that sends a shard whose cells are all at hand. It is not asked first: they are sent at once,
    /// and can be sent elsewhere if they are refused.
    fn start(&self, disk: DiskId, header: &ShardHeader) -> ShardSender {
        let (sender, body) = ShardBody::new(header);
        let (rpc, addr, message) = (self.rpc.clone(), self.addr.clone(), PutShard::new(disk, header));
        let answer = tokio::spawn(async move {
            let exchange = async {
                let response = rpc.send_stream(&addr, StoragePath::PUT, &message, body.boxed()).await?;
                read_answer(&addr, response).await
            };
            exchange.await.unwrap_or_else(|error: RpcError| Err(unreachable(disk, &error)))
        });
        ShardSender { disk, geometry: header.geometry, cells: 0, body: sender, answer: Some(answer) }
    }

    /// Asks the node for space, and returns once it has reserved some. The request's body is still to come: HTTP/1.1 lets
    /// the head of the answer come first.
    async fn open(&self, disk: DiskId, header: &ShardHeader) -> Result<ShardSender, StorageError> {
        let (sender, body) = ShardBody::new(header);
        let message = PutShard::new(disk, header);
        let exchange = async {
            let response = self.rpc.send_stream(&self.addr, StoragePath::OPEN, &message, body.boxed()).await?;
            split_answer(&self.addr, response).await
        };
        let opened = within(OPEN_LIMIT, &self.addr, exchange).await;
        let response = opened.unwrap_or_else(|error| Err(unreachable(disk, &error)))?;
        let addr = self.addr.clone();
        let answer = tokio::spawn(async move {
            let outcome = read_outcome(&addr, response).await;
            outcome.unwrap_or_else(|error| Err(unreachable(disk, &error)))
        });
        Ok(ShardSender { disk, geometry: header.geometry, cells: 0, body: sender, answer: Some(answer) })
    }
}

impl RemoteNodes for RpcClient {
    fn client(&self, rpc_addr: &str) -> Arc<dyn StorageNode> {
        Arc::new(HttpStorageNode::new(self.clone(), rpc_addr))
    }
}

#[async_trait]
impl StorageNode for HttpStorageNode {
    async fn put_shard(&self, disk: DiskId, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError> {
        let mut sender = Box::new(self.start(disk, &header));
        sender.append(cells).await?;
        sender.finish().await
    }

    async fn open_shard(&self, disk: DiskId, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError> {
        Ok(Box::new(self.open(disk, &header).await?))
    }

    async fn read_cells(
        &self,
        disk: DiskId,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Vec<Cell>, StorageError> {
        let message = ReadCells { disk, shard, geometry, start: stripes.start, end: stripes.end };
        let exchange = async {
            let response = self.rpc.send_message(&self.addr, StoragePath::READ, &message).await?;
            match split_answer(&self.addr, response).await? {
                Ok(response) => Ok(Ok(collect(&self.addr, response).await?)),
                Err(error) => Ok(Err(error)),
            }
        };
        let body = within(READ_LIMIT, &self.addr, exchange).await.unwrap_or_else(|e| Err(unreachable(disk, &e)))?;
        split_body(&geometry, stripes.clone(), &body).ok_or_else(|| {
            let detail = format!("{} answered with {} bytes for cells {stripes:?} of {shard}", self.addr, body.len());
            StorageError::new(StorageErrorKind::Unreachable, disk, detail)
        })
    }

    async fn delete_shards(&self, disk: DiskId, order: DeleteOrder) -> Result<(), StorageError> {
        self.call(disk, StoragePath::DELETE, &DeleteShards { disk, order }, SYNC_LIMIT).await
    }

    async fn inventory(&self, disk: DiskId, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
        let message = Inventory { disk, after, limit };
        let page: ShardPage = self.call(disk, StoragePath::INVENTORY, &message, READ_LIMIT).await?;
        Ok(page.shards)
    }

    async fn end_doubt(&self, disk: DiskId, doubt: u64) -> Result<(), StorageError> {
        self.call(disk, StoragePath::END_DOUBT, &EndDoubt { disk, doubt }, READ_LIMIT).await
    }

    async fn start_scrub(&self, disk: DiskId) -> Result<(), StorageError> {
        self.call(disk, StoragePath::SCRUB, &StartScrub { disk }, READ_LIMIT).await
    }

    async fn describe_shard(&self, disk: DiskId, shard: ShardId) -> Result<ShardHeader, StorageError> {
        let message = DescribeShard { disk, shard };
        let found: ShardDescription = self.call(disk, StoragePath::DESCRIBE, &message, READ_LIMIT).await?;
        Ok(found.into())
    }

    async fn rebuild_shard(&self, order: RebuildOrder) -> Result<RebuildReport, StorageError> {
        self.call(order.disk, StoragePath::REBUILD, &order, REBUILD_LIMIT).await
    }

    async fn status(&self) -> Result<NodeStatus, StorageError> {
        // A status names no disk; the zero id stands for the node as a whole.
        self.call(DiskId::from_bytes([0; 16]), StoragePath::STATUS, &StatusRequest {}, READ_LIMIT).await
    }
}

fn unreachable(disk: DiskId, error: &RpcError) -> StorageError {
    StorageError::new(StorageErrorKind::Unreachable, disk, error.to_string())
}

#[cfg(test)]
mod tests;
