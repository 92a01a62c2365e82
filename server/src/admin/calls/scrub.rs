//! `GET /v1/scrub`: the progress of the scrub on every disk. `POST /v1/scrub[?disk=ID]`: starts a cycle now.

use std::collections::HashMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_core::cluster_map::{ClusterMap, Disk};
use cairn_core::id::DiskId;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetClusterStatus;
use cairn_protocol::storage::{ScrubCycle, ScrubFinding, ScrubStatus};

use crate::admin::answer::{AdminError, error};
use crate::admin::model::{CycleEntry, FindingEntry, ScrubEntry, ScrubProgress, ScrubStarted};
use crate::admin::parameters::Parameters;
use crate::admin::state::AdminState;

pub(crate) async fn status(State(state): State<AdminState>) -> Result<Json<Vec<ScrubEntry>>, AdminError> {
    let map = state.cluster_map().await?;
    let status = state.metadata.ask(GetClusterStatus {}).await?;
    let reported: HashMap<DiskId, &ScrubStatus> = status
        .nodes
        .iter()
        .flat_map(|(node, _)| &node.disks)
        .filter_map(|d| Some((d.disk, d.scrub.as_ref()?)))
        .collect();
    let entry = |disk: &Disk| ScrubEntry {
        number: u64::from(disk.number.0),
        id: disk.id.to_string(),
        node: map.node(disk.node).map_or_else(String::new, |n| n.name.clone()),
        path: disk.path.clone(),
        scrub: reported.get(&disk.id).map(|scrub| progress(scrub)),
    };
    Ok(Json(map.disks.iter().map(entry).collect()))
}

fn progress(scrub: &ScrubStatus) -> ScrubProgress {
    let left = scrub.total_bytes.saturating_sub(scrub.done_bytes);
    let eta_s = (scrub.running && scrub.rate_bytes_per_s > 0).then(|| left / scrub.rate_bytes_per_s);
    ScrubProgress {
        cycle: scrub.cycle,
        running: scrub.running,
        accelerated: scrub.accelerated,
        started_ms: scrub.started_ms,
        done_bytes: scrub.done_bytes,
        total_bytes: scrub.total_bytes,
        shards: scrub.shards,
        rate_bytes_per_s: scrub.rate_bytes_per_s,
        eta_s,
        findings: scrub.findings,
        unreported: scrub.unreported,
        newest: scrub.newest.iter().map(finding).collect(),
        last: scrub.last.as_ref().map(cycle),
        trouble: scrub.trouble.clone(),
    }
}

fn finding(finding: &ScrubFinding) -> FindingEntry {
    FindingEntry { shard: finding.shard.to_string(), kind: finding.kind.into(), detail: finding.detail.clone() }
}

fn cycle(cycle: &ScrubCycle) -> CycleEntry {
    let ScrubCycle { cycle, started_ms, ended_ms, bytes, shards, findings } = *cycle;
    CycleEntry { cycle, started_ms, ended_ms, bytes, shards, findings }
}

pub(crate) async fn start(State(state): State<AdminState>, RawQuery(query): RawQuery) -> Result<Response, AdminError> {
    let map = state.cluster_map().await?;
    let parameters = Parameters::new(query);
    let named = parameters.given("disk");
    let disks: Vec<&Disk> = map.disks.iter().filter(|disk| named.is_none_or(|name| is_called(disk, name))).collect();
    if disks.is_empty() {
        let message = format!("the cluster has no disk {}: see `cairn disk list`", named.unwrap_or_default());
        return Ok(error(StatusCode::NOT_FOUND, "NoSuchDisk", &message));
    }
    let mut started = Vec::with_capacity(disks.len());
    for disk in disks {
        let error = start_one(&state, &map, disk).await.err();
        started.push(ScrubStarted { number: u64::from(disk.number.0), id: disk.id.to_string(), error });
    }
    Ok(Json(started).into_response())
}

/// A disk is named by its number in the cluster or by its identity.
fn is_called(disk: &Disk, name: &str) -> bool {
    name == disk.number.0.to_string() || name == disk.id.to_string()
}

async fn start_one(state: &AdminState, map: &ClusterMap, disk: &Disk) -> Result<(), String> {
    let node = map.node(disk.node).ok_or_else(|| format!("node {} is not in the cluster map", disk.node))?;
    state.storage.node(node).start_scrub(disk.id).await.map_err(|e| e.to_string())
}
