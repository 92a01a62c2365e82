//! `GET /v1/disks`: every disk of the cluster, as the map and its node see it.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Json;
use cairn_core::id::DiskId;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetClusterStatus;
use cairn_protocol::storage::DiskStatus;

use crate::admin::answer::AdminError;
use crate::admin::model::DiskEntry;
use crate::admin::state::AdminState;

pub(crate) async fn list(State(state): State<AdminState>) -> Result<Json<Vec<DiskEntry>>, AdminError> {
    let map = state.cluster_map().await?;
    let status = state.metadata.ask(GetClusterStatus {}).await?;
    let reported: HashMap<DiskId, &DiskStatus> =
        status.nodes.iter().flat_map(|(node, _)| &node.disks).map(|d| (d.disk, d)).collect();
    let entry = |disk: &cairn_core::cluster_map::Disk| {
        let seen = reported.get(&disk.id);
        DiskEntry {
            number: u64::from(disk.number.0),
            id: disk.id.to_string(),
            node: map.node(disk.node).map_or_else(String::new, |n| n.name.clone()),
            path: disk.path.clone(),
            state: disk.state.into(),
            reason: seen.map(|d| d.reason.clone()).filter(|r| !r.is_empty()),
            capacity_bytes: seen.map_or(disk.capacity_bytes, |d| d.capacity_bytes),
            used_bytes: seen.map_or(0, |d| d.used_bytes),
            shards: seen.map_or(0, |d| d.shards),
        }
    };
    Ok(Json(map.disks.iter().map(entry).collect()))
}
