//! `GET /v1/cluster`: the state of the cluster in one page.

use std::collections::HashMap;
use std::fmt::Write;

use axum::extract::State;
use axum::response::Json;
use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::id::{ExtentId, NodeId, SessionId};
use cairn_core::limits::TINY_OBJECT_BYTES_MAX;
use cairn_core::placement::choose;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::{ClusterStatus as Replicated, GetClusterStatus};

use crate::admin::answer::AdminError;
use crate::admin::model::{ClusterStatus, DiskCounts, NodeEntry, NodeState, ProfileNames};
use crate::admin::state::AdminState;

pub(crate) async fn show(State(state): State<AdminState>) -> Result<Json<ClusterStatus>, AdminError> {
    let map = state.cluster_map().await?;
    let status = state.metadata.ask(GetClusterStatus {}).await?;
    Ok(Json(summarize(&map, &status)))
}

fn summarize(map: &ClusterMap, status: &Replicated) -> ClusterStatus {
    let heard: HashMap<NodeId, u64> = status.nodes.iter().map(|(node, ms)| (node.node, *ms)).collect();
    let disks = count_disks(map);
    ClusterStatus {
        cluster_id: map.cluster.to_string(),
        epoch: map.epoch.0,
        commit: status.commit.0,
        buckets: status.buckets,
        objects: status.objects,
        object_bytes: status.object_bytes,
        uploads: status.uploads,
        reclaim_entries: status.reclaim_entries,
        repair_entries: status.repair_entries,
        sessions: status.sessions,
        nodes: map
            .nodes
            .iter()
            .map(|node| NodeEntry {
                id: node.id.to_string(),
                name: node.name.clone(),
                rpc_addr: node.rpc_addr.clone(),
                zone: node.labels.zone.clone(),
                rack: node.labels.rack.clone(),
                state: node_state(map, node.id),
                last_heard_ms: heard.get(&node.id).copied(),
            })
            .collect(),
        profile: ProfileNames { small: profile_name(map, TINY_OBJECT_BYTES_MAX), large: profile_name(map, u64::MAX) },
        disks,
        capacity_bytes: map.disks.iter().map(|d| d.capacity_bytes).sum(),
        used_bytes: status.nodes.iter().flat_map(|(n, _)| &n.disks).map(|d| d.used_bytes).sum(),
    }
}

fn count_disks(map: &ClusterMap) -> DiskCounts {
    let count = |state| map.disks.iter().filter(|d| d.state == state).count() as u64;
    DiskCounts {
        total: map.disks.len() as u64,
        active: count(DiskState::Active),
        full: count(DiskState::Full),
        suspect: count(DiskState::Suspect),
        unavailable: count(DiskState::Unavailable),
        joining: count(DiskState::Joining),
        quarantined: count(DiskState::Quarantined),
        draining: count(DiskState::Draining),
        failed: count(DiskState::Failed),
        removed: count(DiskState::Removed),
    }
}

/// A node is up while any of its disks can be reached.
fn node_state(map: &ClusterMap, node: NodeId) -> NodeState {
    let up = map.disks.iter().any(|d| d.node == node && d.state.serves());
    if up { NodeState::Up } else { NodeState::Unavailable }
}

/// The profile that a gateway would choose for a new object of `bytes` now.
fn profile_name(map: &ClusterMap, bytes: u64) -> String {
    let any = ExtentId::new(SessionId(0), 0);
    choose(map, None, None, bytes, any, |_| true).map_or_else(|_| "none".to_owned(), |(profile, _)| profile.to_string())
}

/// How new objects are stored, in one line for people.
pub(crate) async fn profile_line(state: &AdminState) -> String {
    match state.cluster_map().await {
        Ok(map) => {
            let disks = count_disks(&map);
            let (small, large) = (profile_name(&map, TINY_OBJECT_BYTES_MAX), profile_name(&map, u64::MAX));
            let mut line = format!("{large} erasure-coded over {} disks; up to 16 KiB: {small} copies", disks.active);
            let away = disks.total - disks.active - disks.removed;
            if away > 0 {
                let _ = write!(
                    line,
                    "\n  ATTENTION      {away} of {} disks take no data: see `cairn disk list`",
                    disks.total - disks.removed
                );
            }
            line
        }
        Err(error) => format!("unknown: {error}"),
    }
}
