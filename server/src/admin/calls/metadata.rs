//! `/v1/metadata/…`: the members of the metadata service, its backups, and what a restored one found on the disks.

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_core::id::{ExtentId, MemberId};
use cairn_protocol::metadata::query::{Finding, GetMembers, ListFindings};
use cairn_protocol::metadata::{MemberAddress, MetadataExt, OperatorRequest};

use serde::Deserialize;

use crate::admin::answer::{AdminError, error};
use crate::admin::model::{MetadataMember, MetadataMembers, Reconciled, RecoveryFinding, StoredBackup};
use crate::admin::parameters::Parameters;
use crate::admin::state::AdminState;

/// Findings in one page.
const FINDINGS_PAGE: u32 = 1000;

/// `GET /v1/metadata/members`
pub(crate) async fn list(State(state): State<AdminState>) -> Result<Json<MetadataMembers>, AdminError> {
    let table = state.metadata.ask(GetMembers {}).await?;
    let member = |entry: &cairn_protocol::metadata::query::MemberEntry| MetadataMember {
        member: entry.member.0,
        addr: entry.addr.clone(),
        role: entry.role.into(),
        answers: entry.answers,
        lag_entries: entry.matched.map(|matched| table.last_log.saturating_sub(matched)),
    };
    Ok(Json(MetadataMembers {
        members: table.members.iter().map(member).collect(),
        term: table.term,
        log_index: table.last_log,
        is_changing: table.is_changing,
        deletions_held: table.restored.as_ref().is_some_and(|hold| hold.released_below.is_none()),
        reconciled: table.restored.and_then(|hold| hold.reconciled).map(|totals| Reconciled {
            shards: totals.shards,
            recovered: totals.recovered,
            kept: totals.kept,
            unreadable: totals.unreadable,
            ended_ms: totals.ended_ms,
        }),
    }))
}

/// The parameters of the path.
#[derive(Deserialize)]
pub(crate) struct MemberPath {
    member: u64,
    addr: String,
}

/// `POST /v1/metadata/members/{member}/{addr}`
pub(crate) async fn add(
    State(state): State<AdminState>,
    Path(MemberPath { member, addr }): Path<MemberPath>,
) -> Result<Response, AdminError> {
    if member == 0 {
        return Ok(error(StatusCode::BAD_REQUEST, "InvalidMember", "members are numbered from 1"));
    }
    operate(&state, OperatorRequest::AddMember(MemberAddress { member: MemberId(member), addr })).await
}

/// `DELETE /v1/metadata/members/{member}`
pub(crate) async fn remove(State(state): State<AdminState>, Path(member): Path<u64>) -> Result<Response, AdminError> {
    operate(&state, OperatorRequest::RemoveMember(MemberId(member))).await
}

/// `POST /v1/metadata/leader/{member}`
pub(crate) async fn transfer(State(state): State<AdminState>, Path(member): Path<u64>) -> Result<Response, AdminError> {
    operate(&state, OperatorRequest::TransferLead(MemberId(member))).await
}

/// `POST /v1/metadata/deletions`
pub(crate) async fn resume_deletions(State(state): State<AdminState>) -> Result<Response, AdminError> {
    operate(&state, OperatorRequest::EndRestoreHold).await
}

/// `GET /v1/metadata/findings[?after=EXTENT]`: a page of what a restored service found on the disks.
pub(crate) async fn findings(
    State(state): State<AdminState>,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let after = match Parameters::new(query).given("after").map(str::parse::<ExtentId>).transpose() {
        Ok(after) => after,
        Err(wrong) => return Ok(error(StatusCode::BAD_REQUEST, "InvalidExtent", &wrong.to_string())),
    };
    let page = state.metadata.ask(ListFindings { after, limit: FINDINGS_PAGE }).await?;
    let entry = |finding: Finding| RecoveryFinding {
        extent: finding.extent.to_string(),
        kind: finding.kind.into(),
        bucket: finding.bucket.map(|bucket| bucket.to_string()),
        key: finding.key.map(|key| key.to_string()),
        bytes: finding.bytes,
        written_ms: finding.written_ms,
        detail: finding.detail,
    };
    Ok(Json(page.into_iter().map(entry).collect::<Vec<_>>()).into_response())
}

/// `POST /v1/metadata/backups`: backs up into the store itself now.
pub(crate) async fn store_backup(State(state): State<AdminState>) -> Response {
    let Some(backups) = state.backups.clone() else { return not_a_member() };
    // It continues if the client disconnects.
    match tokio::spawn(async move { backups.back_up().await }).await {
        Ok(Ok(made)) => {
            Json(StoredBackup { commit: made.commit.0, objects: made.objects, bytes: made.bytes }).into_response()
        }
        Ok(Err(why)) => error(StatusCode::SERVICE_UNAVAILABLE, "NotBackedUp", &why.to_string()),
        Err(panicked) => error(StatusCode::INTERNAL_SERVER_ERROR, "NotBackedUp", &panicked.to_string()),
    }
}

fn not_a_member() -> Response {
    error(StatusCode::CONFLICT, "NotAMember", "this process holds no metadata: ask the admin API of a metadata member")
}

/// `GET /v1/metadata/backup`: the backup as a stream. Without its end frame it is not whole.
pub(crate) async fn backup(State(state): State<AdminState>) -> Response {
    let Some(member) = &state.member else { return not_a_member() };
    let reader = match member.backup().await {
        Ok(reader) => reader,
        Err(why) => return error(StatusCode::SERVICE_UNAVAILABLE, "MetadataUnavailable", &why.to_string()),
    };
    let pieces = futures_util::stream::unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        let read = tokio::task::spawn_blocking(move || {
            let piece = reader.next_piece();
            (piece, reader)
        });
        match read.await {
            Ok((Ok(Some(piece)), reader)) => Some((Ok(Bytes::from(piece)), Some(reader))),
            Ok((Ok(None), _)) => None,
            Ok((Err(why), _)) => Some((Err(std::io::Error::other(why)), None)),
            Err(panicked) => Some((Err(std::io::Error::other(panicked)), None)),
        }
    });
    Response::new(Body::from_stream(pieces))
}

pub(super) async fn operate(state: &AdminState, request: OperatorRequest) -> Result<Response, AdminError> {
    state.metadata.operate(request).await?;
    Ok(Json(serde_json::json!({})).into_response())
}
