//! Makes a disk and metadata agree: what it lacks is queued for repair, and what nobody needs any more is deleted, with proof.
//! For a disk that was away, that comes before it takes anything new (I17).

use std::sync::Arc;

use cairn_core::cluster_map::Disk;
use cairn_core::shard::ShardId;
use cairn_protocol::storage::{DeleteOrder, StorageError, StorageNode};

use super::inventory::{self, CompareError};
use crate::error::StoreError;
use crate::leader::{Leader, LeaderError};
use crate::state::queries::classify_shards::classify_shards;

/// A disk that is not reconciled yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReconcileError {
    /// See [`CompareError`].
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The disk did not delete.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The tables could not be read, or what is missing could not be queued.
    #[error("metadata: {0}")]
    Leader(#[from] LeaderError),
    /// The task ended.
    #[error("the reconciliation was interrupted: {0}")]
    Broken(#[from] tokio::task::JoinError),
}

/// The result of a reconciliation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reconciled {
    /// Shards that are where metadata has them.
    pub(super) good: u64,
    /// Shards that are not, and are queued for repair.
    pub(super) missing: u64,
    /// Shards that nobody needs, and that are deleted.
    pub(super) deleted: u64,
    /// Shards that metadata does not have here and that cannot be proven to be garbage: writes under way.
    pub(super) kept: u64,
}

/// Compares a disk with metadata, page by page, both ways, and ends the doubt that it reported before, if any.
pub(super) async fn run(
    leader: &Arc<Leader>,
    node: Arc<dyn StorageNode>,
    disk: &Disk,
    doubt: Option<u64>,
) -> Result<Reconciled, ReconcileError> {
    let mut total = Reconciled::default();
    let mut after: Option<ShardId> = None;
    loop {
        let page = inventory::page(leader, &node, disk, after).await?;
        total.good += page.good;
        total.missing += page.difference.missing.len() as u64;
        inventory::queue_missing(leader, disk.number, &page.difference.missing).await?;
        let unknown = page.difference.unknown.len() as u64;
        let deleted = delete_garbage(leader, &node, disk, page.difference.unknown).await?;
        total.deleted += deleted;
        total.kept += unknown - deleted;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    if let Some(doubt) = doubt {
        node.end_doubt(disk.id, doubt).await?;
        leader.memory().forget_doubt(disk.node, disk.id, doubt);
    }
    Ok(total)
}

/// Deletes those of `unknown` that are provably garbage; returns how many those were.
async fn delete_garbage(
    leader: &Arc<Leader>,
    node: &Arc<dyn StorageNode>,
    disk: &Disk,
    unknown: Vec<ShardId>,
) -> Result<u64, ReconcileError> {
    if unknown.is_empty() {
        return Ok(0);
    }
    let id = disk.id;
    let classified = leader.prove(move |view| {
        let garbage = classify_shards(view, id, &unknown)?;
        let shards = unknown.into_iter().zip(garbage).filter(|(_, dead)| *dead).map(|(shard, _)| shard);
        Ok::<Vec<ShardId>, StoreError>(shards.collect())
    });
    let (shards, proof) = classified.await?;
    let count = shards.len() as u64;
    if count > 0 {
        node.delete_shards(disk.id, DeleteOrder { proof, shards }).await?;
    }
    Ok(count)
}
