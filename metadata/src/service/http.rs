//! The service over the internal RPC.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use cairn_protocol::metadata::Query;
use cairn_protocol::rpc::{Execute, LeaderMessage, MetadataFailure, MetadataPath, Rights, answer, receive_allowed};
use minicbor::{Decode, Encode};

use super::failure::Failed;
use super::handle::Handle;
use super::member::RunningMember;
use super::snapshot_transfers::SnapshotTransfers;
use super::unread::Unread;
use crate::leader::LeaderError;
use crate::raft::message::{
    Append, Appended, AskVote, Campaign, Campaigning, Hello, MESSAGE_BYTES_MAX, MayStand, RaftPath, Reach,
    SnapshotChunk, Stopped, Voted,
};

/// The endpoints of `handle`. Each demands that the request came over an authenticated connection, from a caller with the
/// right to send it (I22).
pub fn router(handle: Handle) -> Router {
    let server =
        Arc::new(Server { member: handle.member, transfers: SnapshotTransfers::default(), unread: Unread::default() });
    macro_rules! endpoint {
        ($call:expr) => {{
            let server = Arc::clone(&server);
            post(move |request: Request| {
                let server = Arc::clone(&server);
                async move { server.serve(request, $call).await }
            })
        }};
    }
    Router::new()
        .route(
            MetadataPath::EXECUTE.direct,
            endpoint!(async |s: &Server, m: Execute| told(s.member.execute(m.command, m.call).await)),
        )
        .route(MetadataPath::QUERY.direct, endpoint!(async |s: &Server, m: Query| told(s.member.query(m).await)))
        .route(
            MetadataPath::SIGNAL.direct,
            endpoint!(async |s: &Server, m: LeaderMessage| told(s.member.hear(m).await)),
        )
        .route(MetadataPath::EXECUTE.relay, endpoint!(async |s: &Server, m: Execute| s.member.relay_command(m).await))
        .route(MetadataPath::QUERY.relay, endpoint!(async |s: &Server, m: Query| s.member.relay_query(m).await))
        .route(
            MetadataPath::SIGNAL.relay,
            endpoint!(async |s: &Server, m: LeaderMessage| s.member.relay_signal(m).await),
        )
        .route(RaftPath::APPEND, endpoint!(async |s: &Server, m: Append| s.append(m).await))
        .route(RaftPath::VOTE, endpoint!(async |s: &Server, m: AskVote| s.vote(m).await))
        .route(RaftPath::SNAPSHOT, endpoint!(async |s: &Server, m: SnapshotChunk| s.transfers.take(&s.member, m).await))
        .route(RaftPath::HELLO, endpoint!(async |s: &Server, m: Hello| s.member.answer_hello(&m).await))
        .route(RaftPath::MAY_STAND, endpoint!(async |s: &Server, m: MayStand| s.member.may_stand(m).await))
        .route(RaftPath::REACH, endpoint!(async |s: &Server, m: Reach| s.member.reaches(m).await))
        .route(RaftPath::CAMPAIGN, endpoint!(async |s: &Server, m: Campaign| s.campaign(m).await))
}

struct Server {
    member: Arc<RunningMember>,
    transfers: SnapshotTransfers,
    unread: Unread,
}

/// What the caller is told.
fn told<T>(result: Result<T, LeaderError>) -> Result<T, MetadataFailure> {
    result.map_err(MetadataFailure::from)
}

impl Server {
    async fn serve<M, A, E>(&self, request: Request, call: impl AsyncFnOnce(&Self, M) -> Result<A, E>) -> Response<Body>
    where
        M: for<'b> Decode<'b, ()> + Rights,
        A: Encode<()>,
        E: Encode<()> + Failed,
    {
        let path = request.uri().path().to_owned();
        match receive_allowed(request, MESSAGE_BYTES_MAX).await {
            Ok(message) => answer(&call(self, message).await, Failed::status),
            Err(refusal) => {
                self.unread.note(self.member.leader.now(), &path, &refusal);
                refusal.into_response()
            }
        }
    }

    async fn append(&self, message: Append) -> Result<Appended, Stopped> {
        self.member.admission.check()?;
        self.member.check_room_for_entries(message.has_entries())?;
        if let Some(refusal) = message.refusal() {
            self.unread.note_level(self.member.leader.now(), &refusal);
            return Err(Stopped::because(refusal));
        }
        let appended = self.member.raft.append_entries(message.into()).await.map_err(Stopped::because)?;
        let appended = Appended::from(appended);
        if appended.follows() {
            self.member.hear_leader();
        }
        Ok(appended)
    }

    async fn vote(&self, message: AskVote) -> Result<Voted, Stopped> {
        self.member.admission.check()?;
        self.member.check_not_waiting()?;
        // Raft's lease protects a leader from its followers' votes only, not from its own.
        if self.member.leads_a_majority() {
            return self.member.refuse_vote().await;
        }
        let voted = self.member.raft.vote(message.into()).await.map_err(Stopped::because)?;
        if voted.vote_granted {
            self.member.hear_leader();
        }
        Ok(voted.into())
    }

    async fn campaign(&self, message: Campaign) -> Result<Campaigning, Stopped> {
        self.member.admission.check()?;
        self.member.campaign(message.term).await.map_err(Stopped::because)?;
        Ok(Campaigning {})
    }
}
