//! What the disks hold, extent by extent: the inventories of all disks, each in order, merged into one.

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_core::cluster_map::{ClusterMap, Node};
use cairn_core::id::{DiskId, DiskNumber, ExtentId};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{StorageDirectory, StorageError, StorageErrorKind, StorageNode};

/// Shards in one page of an inventory.
const PAGE_SHARDS: u32 = 1000;
/// The largest index that a shard can have.
const LAST_INDEX: u8 = u8::MAX;

/// A disk that is read.
#[derive(Clone)]
pub(crate) struct CensusDisk {
    pub(crate) number: DiskNumber,
    pub(crate) id: DiskId,
    pub(crate) node: Arc<dyn StorageNode>,
}

/// An extent that has shards on the disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenExtent {
    pub(crate) id: ExtentId,
    /// Shard index and disk, in the order of the disks.
    pub(crate) shards: Vec<(u8, DiskNumber)>,
}

impl SeenExtent {
    /// How many different shards were seen.
    pub(crate) fn distinct(&self) -> usize {
        let mut indexes: Vec<u8> = self.shards.iter().map(|(index, _)| *index).collect();
        indexes.sort_unstable();
        indexes.dedup();
        indexes.len()
    }
}

/// Reads the inventories of many disks together, in the order of the extents. Holds one page of each.
pub(crate) struct Census {
    cursors: Vec<Cursor>,
    /// Shards read so far.
    pub(crate) shards: u64,
}

struct Cursor {
    disk: CensusDisk,
    page: VecDeque<ShardId>,
    after: Option<ShardId>,
    ended: bool,
}

impl Census {
    /// Begins after `after`, or at the first extent.
    pub(crate) fn new(disks: Vec<CensusDisk>, after: Option<ExtentId>) -> Self {
        let after = after.map(|extent| ShardId { extent, index: LAST_INDEX });
        let cursor = |disk| Cursor { disk, page: VecDeque::new(), after, ended: false };
        Self { cursors: disks.into_iter().map(cursor).collect(), shards: 0 }
    }

    /// The next extent; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<SeenExtent>, StorageError> {
        for cursor in &mut self.cursors {
            cursor.fill().await?;
        }
        let first = self.cursors.iter().filter_map(|cursor| cursor.page.front()).map(|shard| shard.extent).min();
        let Some(id) = first else { return Ok(None) };
        let mut shards = Vec::new();
        for cursor in &mut self.cursors {
            // An extent may have more than one shard on a disk, and a page may end between them.
            while let Some(shard) = cursor.page.front().filter(|shard| shard.extent == id) {
                shards.push((shard.index, cursor.disk.number));
                cursor.page.pop_front();
                cursor.fill().await?;
            }
        }
        self.shards += shards.len() as u64;
        Ok(Some(SeenExtent { id, shards }))
    }

    /// The header of the first shard of an extent whose header can be read. Errors: no header can be read.
    pub(crate) async fn describe(&self, extent: &SeenExtent) -> Result<ShardHeader, StorageError> {
        let mut last = None;
        for (index, number) in &extent.shards {
            let Some(cursor) = self.cursors.iter().find(|cursor| cursor.disk.number == *number) else { continue };
            let shard = ShardId { extent: extent.id, index: *index };
            match cursor.disk.node.describe_shard(cursor.disk.id, shard).await {
                Ok(header) => return Ok(header),
                Err(error) => last = Some(error),
            }
        }
        let no_shard = || {
            StorageError::new(
                StorageErrorKind::Missing,
                DiskId::from_bytes([0; 16]),
                "no disk of this map holds a shard of the extent",
            )
        };
        Err(last.unwrap_or_else(no_shard))
    }
}

impl Cursor {
    async fn fill(&mut self) -> Result<(), StorageError> {
        if !self.page.is_empty() || self.ended {
            return Ok(());
        }
        let page = self.disk.node.inventory(self.disk.id, self.after, PAGE_SHARDS).await?;
        self.ended = page.len() < PAGE_SHARDS as usize;
        self.after = page.last().copied().or(self.after);
        self.page = page.into();
        Ok(())
    }
}

/// The disks of the map that serve.
pub(crate) fn serving_disks(map: &ClusterMap, nodes: &StorageDirectory) -> Vec<CensusDisk> {
    let serving = map.disks.iter().filter(|disk| disk.state.serves());
    let reached = serving.filter_map(|disk| {
        let node: &Node = map.node(disk.node)?;
        Some(CensusDisk { number: disk.number, id: disk.id, node: nodes.node(node) })
    });
    reached.collect()
}
