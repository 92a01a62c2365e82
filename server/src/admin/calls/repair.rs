//! `GET /v1/repair`: the progress of repair. `GET /v1/repair/queue`: the shards that are known to be bad.

use axum::extract::State;
use axum::response::Json;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::{GetRepairQueue, GetRepairStatus};

use crate::admin::answer::AdminError;
use crate::admin::model::{QueueCause, QueuedShard, RepairStatus, RunningRebuild};
use crate::admin::state::AdminState;

/// Entries of the queue in one answer.
const QUEUE_MAX: u32 = 1000;

pub(crate) async fn show(State(state): State<AdminState>) -> Result<Json<RepairStatus>, AdminError> {
    let status = state.metadata.ask(GetRepairStatus {}).await?;
    let running = |rebuild: &cairn_protocol::metadata::query::RunningRebuild| RunningRebuild {
        extent: rebuild.extent.to_string(),
        shard: rebuild.index,
        from_disk: rebuild.from.map(|disk| u64::from(disk.0)),
        to_disk: u64::from(rebuild.target.0),
        bytes: rebuild.bytes,
        spare: rebuild.spare,
        moves: rebuild.moves,
    };
    Ok(Json(RepairStatus {
        pending_extents: status.pending_extents,
        pending_bytes: status.pending_bytes,
        lost_extents: status.lost_extents,
        without_place_extents: status.without_place_extents,
        done_shards: status.done_shards,
        done_bytes: status.done_bytes,
        failures: status.failures,
        bytes_per_s_limit: status.bytes_per_s_limit,
        running: status.running.iter().map(running).collect(),
        held_back: status.held_back.clone().unwrap_or_default(),
    }))
}

pub(crate) async fn queue(State(state): State<AdminState>) -> Result<Json<Vec<QueuedShard>>, AdminError> {
    let entries = state.metadata.ask(GetRepairQueue { limit: QUEUE_MAX }).await?;
    let entry = |entry: &cairn_protocol::metadata::query::RepairEntry| QueuedShard {
        extent: entry.extent.to_string(),
        shard: entry.index,
        disk: entry.disk.map(|disk| u64::from(disk.0)),
        cause: QueueCause::of(entry.cause),
    };
    Ok(Json(entries.iter().map(entry).collect()))
}
