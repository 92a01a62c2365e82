//! `POST /v1/rebalance` moves shards until every disk holds its share, `DELETE` stops it, `GET` shows its progress.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{EndRebalance, RebalanceEnd, StartRebalance};
use cairn_protocol::metadata::query::{self, GetRebalance};

use crate::admin::answer::{AdminError, error, invalid_parameter};
use crate::admin::model::{DiskShare, RebalanceForecast, RebalanceState, RebalanceStatus};
use crate::admin::parameters::Parameters;
use crate::admin::state::AdminState;

pub(crate) async fn show(
    State(state): State<AdminState>,
    RawQuery(query): RawQuery,
) -> Result<Json<RebalanceStatus>, AdminError> {
    ask(&state, Parameters::new(query).is_true("survey")).await.map(Json)
}

pub(crate) async fn start(State(state): State<AdminState>, RawQuery(query): RawQuery) -> Result<Response, AdminError> {
    let parameters = Parameters::new(query);
    let rate = match parameters.number("rate") {
        Ok(rate) => rate,
        Err(why) => return Ok(invalid_parameter(&why)),
    };
    if rate == Some(0) {
        let text = "a rate of 0 moves nothing: stop the rebalance instead, with `cairn rebalance stop`";
        return Ok(error(StatusCode::BAD_REQUEST, "InvalidParameter", text));
    }
    if parameters.is_true("dry_run") {
        return Ok(Json(ask(&state, true).await?).into_response());
    }
    let reencodes = parameters.is_true("reprotect");
    state.metadata.run(StartRebalance { bytes_per_s_max: rate, reencodes }).await?;
    tracing::warn!(?rate, reencodes, "the operator started a rebalance");
    Ok(Json(ask(&state, false).await?).into_response())
}

pub(crate) async fn stop(State(state): State<AdminState>) -> Result<Json<RebalanceStatus>, AdminError> {
    state.metadata.run(EndRebalance { rebalance: None, end: RebalanceEnd::Stopped }).await?;
    tracing::warn!("the operator stopped the rebalance");
    ask(&state, false).await.map(Json)
}

async fn ask(state: &AdminState, survey: bool) -> Result<RebalanceStatus, AdminError> {
    Ok(convert(state.metadata.ask(GetRebalance { survey }).await?))
}

fn convert(found: query::RebalanceStatus) -> RebalanceStatus {
    let record = found.record.as_ref();
    let ended = record.and_then(|record| record.ended.as_ref());
    let state = match (record, ended.map(|(_, end)| end)) {
        (None, _) => RebalanceState::Never,
        (Some(_), None) if found.is_waiting => RebalanceState::Waiting,
        (Some(_), None) => RebalanceState::Running,
        (Some(_), Some(RebalanceEnd::Stopped)) => RebalanceState::Stopped,
        (Some(_), Some(RebalanceEnd::Even)) => RebalanceState::Even,
        (Some(_), Some(RebalanceEnd::Reencoded)) => RebalanceState::Reencoded,
        (Some(_), Some(RebalanceEnd::Stuck(_))) => RebalanceState::Stuck,
    };
    let why = ended.and_then(|(_, end)| if let RebalanceEnd::Stuck(why) = end { Some(why.clone()) } else { None });
    RebalanceStatus {
        state,
        why,
        reprotects: record.is_some_and(|record| record.reencodes),
        started_ms: record.map(|record| record.started_ms),
        ended_ms: ended.map(|(at_ms, _)| *at_ms),
        bytes_per_s_max: record.and_then(|record| record.bytes_per_s_max),
        moved_shards: record.map_or(0, |record| record.moved_shards),
        moved_bytes: record.map_or(0, |record| record.moved_bytes),
        left_bytes: found.left_bytes,
        passes: found.passes,
        running: found.running,
        failures: found.failures,
        disks: shares(&found.disks),
        forecast: found.forecast.map(|forecast| RebalanceForecast {
            shards: forecast.shards,
            bytes: forecast.bytes,
            disks: shares(&forecast.disks),
        }),
    }
}

fn shares(disks: &[query::DiskShare]) -> Vec<DiskShare> {
    let share = |share: &query::DiskShare| DiskShare {
        number: u64::from(share.disk.0),
        bytes: share.bytes,
        share_bytes: share.share_bytes,
    };
    disks.iter().map(share).collect()
}
