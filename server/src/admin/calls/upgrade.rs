//! `/v1/upgrade`: which releases run, and raising the feature level.

use axum::extract::State;
use axum::response::{Json, Response};
use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::query::{self, GetUpgrade};
use cairn_protocol::metadata::{MetadataExt, OperatorRequest};

use super::metadata::operate;
use crate::admin::answer::AdminError;
use crate::admin::model::{ProcessRelease, UpgradeStatus};
use crate::admin::state::AdminState;

/// `GET /v1/upgrade`
pub(crate) async fn show(State(state): State<AdminState>) -> Result<Json<UpgradeStatus>, AdminError> {
    let status = state.metadata.ask(GetUpgrade {}).await?;
    Ok(Json(UpgradeStatus {
        level: status.level.0,
        next_level: status.next.0,
        can_finalize: status.next > status.level && status.behind().next().is_none(),
        processes: status.processes.iter().map(|process| entry(process, status.next)).collect(),
    }))
}

fn entry(process: &query::ProcessRelease, next: FeatureLevel) -> ProcessRelease {
    let release = process.release.as_ref();
    ProcessRelease {
        role: process.role.into(),
        name: process.name.clone(),
        version: release.map(|release| release.version.clone()),
        oldest_level: release.map(|release| release.oldest.0),
        newest_level: release.map(|release| release.newest.0),
        is_ready: release.is_some_and(|release| release.supports(next)),
    }
}

/// `POST /v1/upgrade`
pub(crate) async fn finalize(State(state): State<AdminState>) -> Result<Response, AdminError> {
    operate(&state, OperatorRequest::FinalizeUpgrade).await
}
