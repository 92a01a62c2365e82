//! Raft's calls to other members over the internal RPC.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_protocol::rpc::RpcClient;
use minicbor::{Decode, Encode};
use openraft::error::{
    Fatal, NetworkError, PayloadTooLarge, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable,
};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse};
use openraft::{AnyError, BasicNode, ErrorSubject, ErrorVerb, Snapshot, StorageIOError};

use super::admission::Admission;
use super::attempts::Attempt;
use super::candidacy::Voice;
use super::codec::MembershipRow;
use super::fitness::STATE_FORMAT;
use super::message::{Append, Appended, AskVote, ChunkTaken, RaftPath, SnapshotChunk, Stopped, Voted};
use super::pace::Pace;
use super::pins::Pins;
use super::snapshot::{LiveState, SnapshotData, SpooledSnapshot};
use super::times::HEARTBEAT_MS;
use super::types::{TypeConfig, Vote};
use crate::error::StoreError;
use cairn_core::id::MemberId;

/// Time limit for one chunk of a snapshot; the last one waits for the installation.
const CHUNK_LIMIT: Duration = Duration::from_mins(1);
/// How often a chunk is sent, and the pause in between, before the transfer is given up.
const CHUNK_ATTEMPTS_MAX: u32 = 10;
const CHUNK_PAUSE: Duration = Duration::from_millis(500);
/// Pause after a copy of the state that could not be made: each attempt may have written much of it.
const SPOOL_PAUSE: Duration = Duration::from_secs(10);

/// Time after which a message with entries that has no answer yet is accompanied by heartbeats, and between two of them.
const BEAT_PAUSE: Duration = Duration::from_millis(HEARTBEAT_MS / 4);

type SendError = StreamingError<TypeConfig, Fatal<MemberId>>;
type CallError = RPCError<MemberId, BasicNode, RaftError<MemberId>>;

pub(crate) struct Network {
    rpc: RpcClient,
    admission: Arc<Admission>,
    pins: Arc<Pins>,
    voice: Arc<Voice>,
    clock: Arc<dyn Clock>,
    /// Attempts to send a snapshot, to any member.
    attempts: Arc<AtomicU64>,
}

impl Network {
    pub(crate) fn new(
        rpc: RpcClient,
        admission: Arc<Admission>,
        pins: Arc<Pins>,
        voice: Arc<Voice>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { rpc, admission, pins, voice, clock, attempts: Arc::default() }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: MemberId, node: &BasicNode) -> Peer {
        Peer {
            member: target,
            rpc: self.rpc.clone(),
            addr: node.addr.clone(),
            admission: Arc::clone(&self.admission),
            pins: Arc::clone(&self.pins),
            voice: Arc::clone(&self.voice),
            clock: Arc::clone(&self.clock),
            attempts: Arc::clone(&self.attempts),
            pace: Pace::new(),
        }
    }
}

/// Another member.
pub(crate) struct Peer {
    member: MemberId,
    rpc: RpcClient,
    addr: String,
    admission: Arc<Admission>,
    pins: Arc<Pins>,
    voice: Arc<Voice>,
    clock: Arc<dyn Clock>,
    attempts: Arc<AtomicU64>,
    pace: Pace,
}

impl Peer {
    /// Sends heartbeats, one after the other, on connections of their own. Raft sends none to a member while a message with
    /// entries is on its way there; if that takes long, the member would stand for election.
    async fn beat(&self, heartbeat: Append) -> Infallible {
        loop {
            tokio::time::sleep(BEAT_PAUSE).await;
            // What it says of a higher vote comes with the answer to the entries, too.
            let _ = self.append(&heartbeat, BEAT_PAUSE * 2).await;
        }
    }

    /// Whether this member may speak as the leader of `term`.
    fn check_voice(&self, term: u64) -> Result<(), Unreachable> {
        if self.voice.is_silent_in(term) {
            return Err(Unreachable::new(&Stopped::because("no majority answers this leader")));
        }
        Ok(())
    }

    /// Sends a leader's message, unless the leader is silent.
    async fn append(&self, message: &Append, limit: Duration) -> Result<Appended, CallError> {
        self.check_voice(message.term())?;
        let appended: Appended = self.call(RaftPath::APPEND, message, limit).await?;
        if appended.follows() {
            self.voice.answered(self.member, self.clock.monotonic());
        }
        Ok(appended)
    }

    async fn call<M, A>(&self, path: &str, message: &M, limit: Duration) -> Result<A, CallError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        let answer = self.ask(path, message, limit).await?;
        answer.map_err(|stopped| RPCError::Unreachable(Unreachable::new(&stopped)))
    }

    /// Like [`Peer::call`], for a caller who wants to know what the member says if it takes no part.
    async fn ask<M, A>(&self, path: &str, message: &M, limit: Duration) -> Result<Result<A, Stopped>, CallError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        // A directory that may not act as this member must not send messages in its name.
        self.admission.check().map_err(|stopped| RPCError::Unreachable(Unreachable::new(&stopped)))?;
        match self.rpc.call::<M, A, Stopped>(&self.addr, path, message, limit).await {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_definite_no() => Err(RPCError::Unreachable(Unreachable::new(&error))),
            Err(error) => Err(RPCError::Network(NetworkError::new(&error))),
        }
    }

    /// Copies the state into a file, and lets go of it before anything is sent: the member may be slow.
    async fn spool(&self, live: LiveState) -> Result<Arc<SpooledSnapshot>, SendError> {
        // Dropped with this call: then nobody waits for the copy.
        let wanted = Arc::new(());
        let asked = Arc::downgrade(&wanted);
        let copied =
            tokio::task::spawn_blocking(move || SpooledSnapshot::copy(live, asked)).await.map_err(read_error)?;
        let failed = match copied {
            Ok(spooled) => return Ok(Arc::new(spooled)),
            Err(error) => spool_error(self.member, &error),
        };
        if matches!(failed, SendError::Unreachable(_)) {
            tokio::time::sleep(SPOOL_PAUSE).await;
        }
        Err(failed)
    }

    /// Streams a snapshot chunk by chunk. A receiver that follows another leader ends it with its vote.
    async fn stream(
        &self,
        vote: Vote,
        snapshot: Snapshot<TypeConfig>,
    ) -> Result<SnapshotResponse<MemberId>, SendError> {
        let SnapshotData::Live(live) = *snapshot.snapshot else {
            return Err(read_error("the snapshot is not one of this member's own state").into());
        };
        let spooled = self.spool(live).await?;
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        let attempt = Some(Attempt { process: self.admission.me().process, number });
        tracing::info!(member = %self.member, bytes = spooled.bytes(), "a metadata member is sent a snapshot of the state");
        for number in 0..spooled.len() {
            let reading = Arc::clone(&spooled);
            let read = tokio::task::spawn_blocking(move || reading.chunk(number)).await.map_err(read_error)?;
            let chunk = read.map_err(|error| spool_error(self.member, &error))?;
            let message = SnapshotChunk {
                vote: vote.into(),
                applied: snapshot.meta.last_log_id.map(Into::into),
                membership: MembershipRow::from(&snapshot.meta.last_membership),
                id: snapshot.meta.snapshot_id.clone(),
                number: number as u32,
                last: chunk.is_last,
                records: chunk.records,
                format: Some(STATE_FORMAT),
                hash: chunk.hash,
                attempt,
            };
            self.check_voice(vote.leader_id.term)?;
            let theirs = self.send_chunk(&message).await?;
            if theirs > vote {
                return Ok(SnapshotResponse::new(theirs));
            }
            self.voice.answered(self.member, self.clock.monotonic());
        }
        Ok(SnapshotResponse::new(vote))
    }

    /// Sends one chunk, and retries when the connection breaks: a transfer continues where it was interrupted, unless another one
    /// has taken its place.
    async fn send_chunk(&self, message: &SnapshotChunk) -> Result<Vote, SendError> {
        let mut tried = 1;
        loop {
            let error = match self.ask::<_, ChunkTaken>(RaftPath::SNAPSHOT, message, CHUNK_LIMIT).await {
                Ok(Ok(taken)) => return Ok(taken.vote.into()),
                Ok(Err(stopped)) if stopped.is_replaced == Some(true) => return Err(Unreachable::new(&stopped).into()),
                Ok(Err(stopped)) => RPCError::Unreachable(Unreachable::new(&stopped)),
                Err(error) => error,
            };
            if tried >= CHUNK_ATTEMPTS_MAX {
                return Err(match error {
                    RPCError::Network(error) => error.into(),
                    error => Unreachable::new(&error).into(),
                });
            }
            tried += 1;
            tokio::time::sleep(CHUNK_PAUSE).await;
        }
    }
}

/// The error for a copy of the state that cannot be made or read. A failed state ends this member; a file beside it that cannot be
/// written, or not yet, is one more reason to try again later.
fn spool_error(member: MemberId, error: &StoreError) -> SendError {
    match error {
        StoreError::NoRoom(_) | StoreError::TooManyCopies { .. } | StoreError::File { .. } => {
            tracing::warn!(
                %member, %error,
                "a metadata member needs a snapshot, for which this one has to copy its state into a file, and cannot; trying again"
            );
            Unreachable::new(error).into()
        }
        _ => read_error(error).into(),
    }
}

fn read_error(error: impl std::fmt::Display) -> openraft::StorageError<MemberId> {
    StorageIOError::new(ErrorSubject::Snapshot(None), ErrorVerb::Read, AnyError::error(error)).into()
}

impl RaftNetwork<TypeConfig> for Peer {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<MemberId>, CallError> {
        let too_many = |entries_max| RPCError::PayloadTooLarge(PayloadTooLarge::new_entries_hint(entries_max));
        self.pace.begin(request.entries.len() as u64).map_err(too_many)?;
        let heartbeat = Append::heartbeat(&request);
        let message = Append::from(request);
        let appended: Result<Appended, CallError> = tokio::select! {
            biased;
            appended = self.append(&message, option.hard_ttl()) => appended,
            never = self.beat(heartbeat) => match never {},
        };
        match &appended {
            Ok(_) => self.pace.answered(),
            Err(RPCError::Unreachable(_)) => self.pace.unreachable(),
            Err(_) => {}
        }
        Ok(appended?.into())
    }

    async fn vote(
        &mut self,
        request: VoteRequest<MemberId>,
        option: RPCOption,
    ) -> Result<VoteResponse<MemberId>, CallError> {
        let voted: Voted = self.call(RaftPath::VOTE, &AskVote::from(request), option.hard_ttl()).await?;
        Ok(voted.into())
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<TypeConfig>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<MemberId>, SendError> {
        // What is written from now on must still be there when the snapshot has arrived.
        let held = self.pins.hold(self.member, snapshot.meta.last_log_id.map_or(0, |id| id.index));
        let sent = tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.stream(vote, snapshot) => sent,
        };
        if sent.is_ok() {
            held.arrived();
        }
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NoRoom;

    #[test]
    fn a_copy_that_cannot_be_made_ends_no_member() {
        let check = |error: &StoreError, passes: bool| {
            let failed = spool_error(MemberId(2), error);
            assert_eq!(matches!(failed, SendError::Unreachable(_)), passes, "{failed}");
            assert_eq!(matches!(failed, SendError::StorageError(_)), !passes, "{failed}");
        };
        let no_room = NoRoom { dir: "/data".to_owned(), free_bytes: 1, reserve_bytes: 2 };
        check(&no_room.into(), true);
        check(&StoreError::TooManyCopies { max: 4 }, true);
        check(&StoreError::file(std::path::Path::new("/data/state.outgoing-0"), "input/output error"), true);
        check(&StoreError::Damaged { table: "buckets", detail: "cut".to_owned() }, false);
    }
}
