//! `POST /v1/disks/{number}/drain` empties a disk, `DELETE` on the same path cancels that, and `DELETE /v1/disks/{number}`
//! removes the disk for good.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_core::cluster_map::{ClusterMap, Disk, DiskEvent, Standing};
use cairn_core::id::{DiskNumber, ExtentId, SessionId};
use cairn_core::placement::choose;
use cairn_core::profile::Profile;
use cairn_protocol::metadata::command::ChangeDisks;
use cairn_protocol::metadata::query::CountDiskExtents;
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};

use crate::admin::answer::{AdminError, error};
use crate::admin::model::DiskProgress;
use crate::admin::parameters::Parameters;
use crate::admin::state::AdminState;

pub(crate) async fn show(State(state): State<AdminState>, Path(number): Path<u32>) -> Result<Response, AdminError> {
    let map = state.cluster_map().await?;
    match map.disk(DiskNumber(number)) {
        Some(disk) => Ok(Json(progress(&state, disk).await?).into_response()),
        None => Ok(no_such_disk(number)),
    }
}

pub(crate) async fn drain(
    State(state): State<AdminState>,
    Path(number): Path<u32>,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let (map, parameters) = (state.cluster_map().await?, Parameters::new(query));
    let Some(disk) = map.disk(DiskNumber(number)) else { return Ok(no_such_disk(number)) };
    if let Some(why) = breaks_redundancy(&map, disk).filter(|_| !parameters.is_true("force")) {
        return Ok(error(StatusCode::CONFLICT, "WouldBreakRedundancy", &why));
    }
    if parameters.is_true("dry_run") {
        return Ok(Json(progress(&state, disk).await?).into_response());
    }
    change(&state, disk, DiskEvent::Drain, false).await
}

pub(crate) async fn cancel(State(state): State<AdminState>, Path(number): Path<u32>) -> Result<Response, AdminError> {
    let map = state.cluster_map().await?;
    match map.disk(DiskNumber(number)) {
        Some(disk) => change(&state, disk, DiskEvent::CancelDrain, false).await,
        None => Ok(no_such_disk(number)),
    }
}

pub(crate) async fn remove(
    State(state): State<AdminState>,
    Path(number): Path<u32>,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let map = state.cluster_map().await?;
    match map.disk(DiskNumber(number)) {
        Some(disk) => change(&state, disk, DiskEvent::Remove, Parameters::new(query).is_true("force")).await,
        None => Ok(no_such_disk(number)),
    }
}

async fn change(state: &AdminState, disk: &Disk, event: DiskEvent, force: bool) -> Result<Response, AdminError> {
    match state.metadata.run(ChangeDisks { changes: vec![(disk.id, event)], force }).await {
        Ok(()) => {}
        Err(MetadataError::Rejected(Rejection::Topology(why))) => {
            return Ok(error(StatusCode::CONFLICT, "NotAllowed", &why));
        }
        Err(other) => return Err(other.into()),
    }
    tracing::warn!(disk = %disk.number, path = disk.path, ?event, force, "the operator changed a disk");
    let map = state.cluster_map().await?;
    let disk = map.disk(disk.number).unwrap_or(disk);
    Ok(Json(progress(state, disk).await?).into_response())
}

async fn progress(state: &AdminState, disk: &Disk) -> Result<DiskProgress, AdminError> {
    let shards_left = state.metadata.ask(CountDiskExtents { disk: disk.number }).await?;
    Ok(DiskProgress {
        number: u64::from(disk.number.0),
        id: disk.id.to_string(),
        path: disk.path.clone(),
        state: disk.state.into(),
        is_draining: disk.standing == Standing::Draining,
        shards_left,
    })
}

/// Why new objects would get a weaker profile without the disk; `None` if they would not.
fn breaks_redundancy(map: &ClusterMap, leaving: &Disk) -> Option<String> {
    let any = ExtentId::new(SessionId(0), 0);
    let with = |eligible: &dyn Fn(&Disk) -> bool| {
        choose(map, None, None, u64::MAX, any, eligible).ok().map(|(profile, _)| profile)
    };
    let now = with(&|_| true)?;
    let then = with(&|disk| disk.number != leaving.number);
    let shards = Profile::total_shards;
    if then.as_ref().is_some_and(|then| shards(then) >= shards(&now)) {
        return None;
    }
    let then = then.map_or_else(|| "nothing at all".to_owned(), |profile| profile.to_string());
    Some(format!(
        "without disk {} ({}) the remaining disks carry {then} and not {now}: shards of {now} would find no place. Add \
         a disk first, or drain it all the same with --force",
        leaving.number, leaving.path
    ))
}

fn no_such_disk(number: u32) -> Response {
    let text = format!("there is no disk {number}: `cairn disk list` shows their numbers");
    error(StatusCode::NOT_FOUND, "NoSuchDisk", &text)
}
