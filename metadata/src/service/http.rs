//! The service over the internal RPC.

use cairn_core::sync::IgnorePoison;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use cairn_protocol::metadata::{Query, SignalAnswer};
use cairn_protocol::rpc::{Execute, LeaderMessage, MetadataFailure, MetadataPath, Rights, answer, receive_allowed};
use minicbor::{Decode, Encode};
use openraft::Snapshot;

use super::failure::Failed;
use super::handle::Handle;
use super::member::RunningMember;
use crate::error::StoreError;
use crate::leader::LeaderError;
use crate::raft::LogId;
use crate::raft::codec::VoteRow;
use crate::raft::machine::STATE_FORMAT;
use crate::raft::message::{
    Append, Appended, AskVote, Campaign, Campaigning, ChunkTaken, Hello, RaftPath, SnapshotChunk, Stopped, Voted,
};
use crate::raft::snapshot::Loader;
use crate::raft::snapshot_data::SnapshotData;

/// Bytes of one message: the largest is a batch of log entries, or one completion of 10,000 parts.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// The endpoints of `handle`. Each demands that the request came over an authenticated connection, from a caller with the
/// right to send it (I22).
pub fn router(handle: Handle) -> Router {
    let server = Arc::new(Server { member: handle.member, incoming: Mutex::default() });
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
            MetadataPath::EXECUTE,
            endpoint!(async |s: &Server, m: Execute| told(s.member.leader.execute_tagged(m.command, m.call).await)),
        )
        .route(MetadataPath::QUERY, endpoint!(async |s: &Server, m: Query| told(s.member.query(m).await)))
        .route(MetadataPath::SIGNAL, endpoint!(async |s: &Server, m: LeaderMessage| told(s.hear(m).await)))
        .route(RaftPath::APPEND, endpoint!(async |s: &Server, m: Append| s.append(m).await))
        .route(RaftPath::VOTE, endpoint!(async |s: &Server, m: AskVote| s.vote(m).await))
        .route(RaftPath::SNAPSHOT, endpoint!(async |s: &Server, m: SnapshotChunk| s.snapshot(m).await))
        .route(RaftPath::HELLO, endpoint!(async |s: &Server, m: Hello| s.member.answer_hello(&m)))
        .route(RaftPath::CAMPAIGN, endpoint!(async |s: &Server, m: Campaign| s.campaign(m).await))
}

struct Server {
    member: Arc<RunningMember>,
    /// The snapshot under way: its id, and the number of the chunk that comes next.
    incoming: Mutex<Option<(String, u32, Loader)>>,
}

/// What the caller is told.
fn told<T>(result: Result<T, LeaderError>) -> Result<T, MetadataFailure> {
    result.map_err(MetadataFailure::from)
}

fn stopped(detail: impl std::fmt::Display) -> Stopped {
    Stopped { detail: detail.to_string() }
}

impl Server {
    async fn serve<M, A, E>(&self, request: Request, call: impl AsyncFnOnce(&Self, M) -> Result<A, E>) -> Response<Body>
    where
        M: for<'b> Decode<'b, ()> + Rights,
        A: Encode<()>,
        E: Encode<()> + Failed,
    {
        match receive_allowed(request, MESSAGE_BYTES_MAX).await {
            Ok(message) => answer(&call(self, message).await, Failed::status),
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn hear(&self, message: LeaderMessage) -> Result<SignalAnswer, LeaderError> {
        match message {
            LeaderMessage::Signal(signal) => self.member.signal(signal).await,
            LeaderMessage::Operator(request) => {
                self.member.operate(request).await?;
                Ok(self.member.signal_answer()?)
            }
        }
    }

    async fn append(&self, message: Append) -> Result<Appended, Stopped> {
        self.member.admission.check()?;
        let appended = self.member.raft.append_entries(message.into()).await.map_err(stopped)?;
        Ok(appended.into())
    }

    async fn vote(&self, message: AskVote) -> Result<Voted, Stopped> {
        self.member.admission.check()?;
        Ok(self.member.raft.vote(message.into()).await.map_err(stopped)?.into())
    }

    async fn campaign(&self, message: Campaign) -> Result<Campaigning, Stopped> {
        self.member.admission.check()?;
        self.member.campaign(message.term).await.map_err(stopped)?;
        Ok(Campaigning {})
    }

    /// Takes a chunk, and installs the snapshot with the last one. A chunk that was taken before is taken for granted: its
    /// answer was lost. Any other chunk out of order ends the transfer; the leader starts it over.
    async fn snapshot(&self, message: SnapshotChunk) -> Result<ChunkTaken, Stopped> {
        self.member.admission.check()?;
        let known = self.member.raft.with_raft_state(|state| *state.vote_ref()).await.map_err(stopped)?;
        if known > message.vote.into() {
            return Ok(ChunkTaken { vote: known.into() });
        }
        if let Some(found) = message.format.filter(|format| *format > STATE_FORMAT) {
            return Err(stopped(StoreError::Newer { what: "the leader's snapshot", found, known: STATE_FORMAT }));
        }
        if self.has_taken(&message) {
            return Ok(ChunkTaken { vote: message.vote });
        }
        let loader = self.take_incoming(&message)?;
        let (meta, vote, last, next) = (message.meta(), message.vote, message.last, message.number + 1);
        let loader = tokio::task::spawn_blocking(move || {
            loader.load(&message.records)?;
            Ok::<_, StoreError>(loader)
        });
        let loader = loader.await.map_err(stopped)?.map_err(stopped)?;
        if !last {
            let mut incoming = self.incoming.lock().ignore_poison();
            *incoming = Some((meta.snapshot_id, next, loader));
            return Ok(ChunkTaken { vote });
        }
        let database = tokio::task::spawn_blocking(move || loader.finish()).await.map_err(stopped)?.map_err(stopped)?;
        let snapshot = Snapshot { meta, snapshot: Box::new(SnapshotData::Loaded(database)) };
        let installed = self.member.raft.install_full_snapshot(vote.into(), snapshot).await.map_err(stopped)?;
        Ok(ChunkTaken { vote: VoteRow::from(installed.vote) })
    }

    fn has_taken(&self, message: &SnapshotChunk) -> bool {
        let incoming = self.incoming.lock().ignore_poison();
        match incoming.as_ref() {
            Some((id, next, _)) if *id == message.id => message.number < *next,
            // The last chunk of a snapshot that is installed by now.
            _ => {
                let reach: Option<LogId> = message.applied.map(Into::into);
                message.last && message.number > 0 && reach.is_some() && self.member.machine.applied() >= reach
            }
        }
    }

    /// The loader that waits for this chunk.
    fn take_incoming(&self, message: &SnapshotChunk) -> Result<Loader, Stopped> {
        let machine = &self.member.machine;
        let mut incoming = self.incoming.lock().ignore_poison();
        let waiting = incoming.take();
        if message.number == 0 {
            drop(waiting);
            return Loader::create(&machine.incoming_path(), machine.cache_bytes()).map_err(stopped);
        }
        match waiting {
            Some((id, next, loader)) if id == message.id && next == message.number => Ok(loader),
            _ => Err(stopped(format!("chunk {} of snapshot {} is out of order", message.number, message.id))),
        }
    }
}
