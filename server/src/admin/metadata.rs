//! `/v1/metadata/…`: the members of the metadata service, and what a restored one may do.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_protocol::metadata::query::{GetMembers, MemberRole};
use cairn_protocol::metadata::{MemberAddress, MetadataExt, Signal};

use super::model::{MetadataMember, MetadataMembers};
use super::{AdminError, AdminState, error};

/// `GET /v1/metadata/members`
pub(super) async fn list(State(state): State<AdminState>) -> Result<Json<MetadataMembers>, AdminError> {
    let table = state.metadata.ask(GetMembers {}).await?;
    let member = |entry: &cairn_protocol::metadata::query::MemberEntry| MetadataMember {
        member: entry.member,
        addr: entry.addr.clone(),
        role: match entry.role {
            MemberRole::Leader => "leader",
            MemberRole::Voter => "voter",
            MemberRole::Learner => "learner",
        }
        .to_owned(),
        answers: entry.answers,
        lag_entries: entry.matched.map(|matched| table.last_log.saturating_sub(matched)),
    };
    Ok(Json(MetadataMembers {
        members: table.members.iter().map(member).collect(),
        term: table.term,
        log_index: table.last_log,
        is_changing: table.is_changing,
        deletions_held: table.restored.is_some(),
    }))
}

/// `POST /v1/metadata/members/{member}/{addr}`
pub(super) async fn add(
    State(state): State<AdminState>,
    Path((member, addr)): Path<(u64, String)>,
) -> Result<Response, AdminError> {
    if member == 0 {
        return Ok(error(StatusCode::BAD_REQUEST, "InvalidMember", "members are numbered from 1"));
    }
    signal(&state, Signal::AddMember(MemberAddress { member, addr })).await
}

/// `DELETE /v1/metadata/members/{member}`
pub(super) async fn remove(State(state): State<AdminState>, Path(member): Path<u64>) -> Result<Response, AdminError> {
    signal(&state, Signal::RemoveMember(member)).await
}

/// `POST /v1/metadata/leader/{member}`
pub(super) async fn transfer(State(state): State<AdminState>, Path(member): Path<u64>) -> Result<Response, AdminError> {
    signal(&state, Signal::TransferLead(member)).await
}

/// `POST /v1/metadata/deletions`
pub(super) async fn resume_deletions(State(state): State<AdminState>) -> Result<Response, AdminError> {
    signal(&state, Signal::EndRestoreHold).await
}

/// `GET /v1/metadata/backup`: the backup as a stream. One that ends without its end frame is not whole.
pub(super) async fn backup(State(state): State<AdminState>) -> Response {
    let Some(member) = &state.member else {
        return error(
            StatusCode::CONFLICT,
            "NotAMember",
            "this process holds no metadata: ask the admin API of a metadata member",
        );
    };
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

async fn signal(state: &AdminState, signal: Signal) -> Result<Response, AdminError> {
    state.metadata.signal(signal).await?;
    Ok(Json(serde_json::json!({})).into_response())
}
