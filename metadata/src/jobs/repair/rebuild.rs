//! Carries one task out: grant, order, publish.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::CommitSequence;
use cairn_core::repair::Task;
use cairn_protocol::metadata::command::{
    EndRebuilds, GrantRebuild, RebuildId, ReplaceShard, ReportFaults, ShardReport, ShardReportKind,
};
use cairn_protocol::metadata::{Outcome, Rejection};
use cairn_protocol::storage::{
    DeleteOrder, DeleteProof, RebuildOrder, RebuildReport, RebuildSource, StorageDirectory, StorageErrorKind,
};

use crate::leader::{Leader, LeaderError};
use crate::state::tables::extents;

/// The result of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// The shard is where the task wanted it.
    Published,
    /// It is not wanted any more.
    Dropped,
    /// It was not made; `busy` if something only had too much to do.
    Failed { busy: bool, why: String },
}

/// Carries `task` out, for which the node has `time_max`, in the name of `rebalance` if it is a move of one. If this future is
/// dropped, the grant stays until the leader ends it.
pub(super) async fn run(
    leader: Arc<Leader>,
    storage: StorageDirectory,
    map: Arc<ClusterMap>,
    task: Task,
    rebalance: Option<CommitSequence>,
    time_max: Duration,
) -> Ended {
    let grant = GrantRebuild {
        extent: task.shard.extent,
        index: task.shard.index,
        target: task.target,
        generation: task.generation,
    };
    let grant = match leader.execute(grant.into()).await {
        Ok(Outcome::RebuildGranted(grant)) => grant,
        Ok(other) => return Ended::Failed { busy: false, why: format!("unexpected outcome {other:?}") },
        Err(failure) => return refused(failure),
    };
    let id = RebuildId { extent: task.shard.extent, index: task.shard.index, grant };
    let Some(order) = order(&map, &task, id) else { return end(&leader, id, Ended::Dropped).await };
    let target = map.disk(task.target).and_then(|disk| map.node(disk.node)).map(|node| storage.node(node));
    let Some(target) = target else { return end(&leader, id, Ended::Dropped).await };
    let disk = order.disk;
    let report = match tokio::time::timeout(time_max, target.rebuild_shard(order)).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => {
            let busy = is_busy(error.kind);
            return end(&leader, id, Ended::Failed { busy, why: error.to_string() }).await;
        }
        Err(_) => {
            let why = format!("disk {disk}: no answer within {time_max:?}");
            return end(&leader, id, Ended::Failed { busy: true, why }).await;
        }
    };
    note_bad_sources(&leader, &task, &report).await;
    if let Some(error) = report.failure {
        let busy = is_busy(error.kind);
        return end(&leader, id, Ended::Failed { busy, why: error.to_string() }).await;
    }
    let release = task.from.is_some_and(|from| map.disk(from).is_some_and(|disk| disk.state.serves()));
    match leader.execute(ReplaceShard { rebuild: id, release, rebalance }.into()).await {
        Ok(_) => Ended::Published,
        Err(failure) => {
            let ended = end(&leader, id, refused(failure)).await;
            if ended == Ended::Dropped && task.from != Some(task.target) {
                // The extent was deleted meanwhile. While its session lives, nothing but this proves that the shard is
                // garbage: an extent that was committed once and is gone never comes back.
                if let Some(proof) = prove_gone(&leader, &task).await {
                    let order = DeleteOrder { proof, shards: vec![task.shard] };
                    if let Err(error) = target.delete_shards(disk, order).await {
                        tracing::info!(%error, "a rebuilt shard came too late; the collector will delete it");
                    }
                }
            }
            ended
        }
    }
}

/// The proof that the task's extent is gone; `None` if it is not.
async fn prove_gone(leader: &Leader, task: &Task) -> Option<DeleteProof> {
    let extent = task.shard.extent;
    let (row, proof) = leader.prove(move |view| extents::get(&view.extents()?, extent)).await.ok()?;
    row.is_none().then_some(proof)
}

fn is_busy(kind: StorageErrorKind) -> bool {
    matches!(kind, StorageErrorKind::Busy | StorageErrorKind::OutOfResources)
}

fn refused(failure: LeaderError) -> Ended {
    match failure {
        LeaderError::Rejected(Rejection::Stale(_)) => Ended::Dropped,
        other => Ended::Failed { busy: false, why: other.to_string() },
    }
}

/// Ends a rebuild. If that fails too, the next pass finds a grant that nobody works on.
async fn end(leader: &Leader, id: RebuildId, ended: Ended) -> Ended {
    if let Err(failure) = leader.execute(EndRebuilds { rebuilds: vec![id] }.into()).await {
        tracing::debug!(%failure, "cannot end a rebuild; retrying");
    }
    ended
}

fn order(map: &ClusterMap, task: &Task, id: RebuildId) -> Option<RebuildOrder> {
    let source = |(index, number): &(u8, _)| {
        let disk = map.disk(*number)?;
        Some(RebuildSource { index: *index, disk: disk.id, node: map.node(disk.node)?.clone() })
    };
    Some(RebuildOrder {
        disk: map.disk(task.target)?.id,
        shard: task.shard,
        profile: task.profile,
        geometry: task.geometry,
        grant: id.grant,
        sources: task.sources.iter().filter_map(source).collect(),
    })
}

async fn note_bad_sources(leader: &Leader, task: &Task, report: &RebuildReport) {
    let found = |(index, kind): &(u8, ShardReportKind)| {
        let (_, disk) = task.sources.iter().find(|(source, _)| source == index)?;
        Some(ShardReport { extent: task.shard.extent, index: *index, disk: *disk, kind: *kind })
    };
    let reports: Vec<ShardReport> = report.bad.iter().filter_map(found).collect();
    if !reports.is_empty()
        && let Err(failure) = leader.execute(ReportFaults { reports }.into()).await
    {
        tracing::debug!(%failure, "cannot record bad sources; the next rebuild finds them again");
    }
}
