//! Compares a disk's inventory with metadata.

use std::sync::Arc;

use cairn_core::cluster_map::Disk;
use cairn_core::id::DiskNumber;
use cairn_core::repair::{Difference, compare};
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::{ReportFaults, ShardReport, ShardReportKind};
use cairn_protocol::storage::{StorageError, StorageNode};

use crate::error::StoreError;
use crate::leader::{Leader, LeaderError};
use crate::state::tables::{View, disk_extents, extents};

/// Shards in one page.
const PAGE_SHARDS: usize = 1000;

/// A comparison that could not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompareError {
    /// The disk did not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The tables did.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is missing could not be queued.
    #[error("metadata: {0}")]
    Leader(#[from] LeaderError),
    /// A thread ended.
    #[error("the comparison was interrupted: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// One page of a comparison.
pub(super) struct Page {
    /// The differences, after everything that changed in the meantime was checked again.
    pub(super) difference: Difference,
    /// Shards that are where metadata has them.
    pub(super) good: u64,
    /// Where the next page starts; `None` at the end.
    pub(super) next: Option<ShardId>,
}

/// Compares the shards after `after`, of which there are at most a thousand on either side.
pub(super) async fn page(
    leader: &Arc<Leader>,
    node: &Arc<dyn StorageNode>,
    disk: &Disk,
    after: Option<ShardId>,
) -> Result<Page, CompareError> {
    // Metadata first: what it has on the disk now was durable before, so the disk's list must have it.
    let before = leader.view()?;
    let mut held = node.inventory(disk.id, after, PAGE_SHARDS as u32).await?;
    let (looking, number) = (Arc::clone(leader), disk.number);
    let compared = tokio::task::spawn_blocking(move || {
        let mut until = if held.len() < PAGE_SHARDS { None } else { held.last().copied() };
        let expected = expected(&before, number, after, until)?;
        if expected.len() == PAGE_SHARDS {
            until = expected.last().copied();
            held.retain(|shard| Some(*shard) <= until);
        }
        drop(before);
        let mut difference = compare(&expected, &held);
        let good = (expected.len() - difference.missing.len()) as u64;
        if !difference.missing.is_empty() {
            // What was deleted or moved since is not missing.
            let now = looking.view()?;
            let table = now.extents()?;
            let mut still = Vec::new();
            for shard in difference.missing {
                if is_on(&table, shard, number)? {
                    still.push(shard);
                }
            }
            difference.missing = still;
        }
        Ok::<_, StoreError>(Page { difference, good, next: until })
    });
    Ok(compared.await??)
}

/// Queues shards that `disk` lacks for repair. Those that were deleted or moved since they were looked for are passed over.
pub(super) async fn queue_missing(leader: &Leader, disk: DiskNumber, missing: &[ShardId]) -> Result<(), LeaderError> {
    if missing.is_empty() {
        return Ok(());
    }
    let kind = ShardReportKind::Missing;
    let report = |shard: &ShardId| ShardReport { extent: shard.extent, index: shard.index, disk, kind };
    let reports = missing.iter().map(report).collect();
    leader.execute(ReportFaults { reports }.into()).await.map(drop)
}

fn is_on(
    table: &impl redb::ReadableTable<extents::Key, extents::Value>,
    shard: ShardId,
    disk: DiskNumber,
) -> Result<bool, StoreError> {
    let row = extents::get(table, shard.extent)?;
    Ok(row.is_some_and(|row| row.locations.get(usize::from(shard.index)) == Some(&Some(disk))))
}

/// The shards after `after`, up to `until`, that metadata has on the disk; at most a page.
fn expected(
    view: &View,
    disk: DiskNumber,
    after: Option<ShardId>,
    until: Option<ShardId>,
) -> Result<Vec<ShardId>, StoreError> {
    let (table, rows) = (view.disk_extents()?, view.extents()?);
    let start = after.map_or(disk_extents::FIRST, |shard| shard.extent);
    let mut expected = Vec::new();
    for extent in disk_extents::from(&table, disk, start)? {
        let extent = extent?;
        let Some(row) = extents::get(&rows, extent)? else { continue };
        let Some(index) = row.locations.iter().position(|at| *at == Some(disk)) else { continue };
        let shard = ShardId { extent, index: index as u8 };
        if after.is_some_and(|after| shard <= after) {
            continue;
        }
        if expected.len() == PAGE_SHARDS || until.is_some_and(|until| shard > until) {
            break;
        }
        expected.push(shard);
    }
    Ok(expected)
}
