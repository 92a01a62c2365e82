//! Messages between members.

use cairn_core::id::ClusterId;
use cairn_core::release::Release;
use cairn_protocol::rpc::{ClientId, Rights, Roles};
use minicbor::{Decode, Encode};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest, VoteResponse};

use super::attempts::{Attempt, Sender};
use super::codec::{LogIdRow, MembershipRow, VoteRow};
use super::entry::EntryRow;
use super::snapshot::StreamHash;
use super::types::{SnapshotMeta, TypeConfig};
use cairn_core::id::Incarnation;
use cairn_core::id::MemberId;

/// Encoded bytes of one command. The largest that a client has reason to send, a completion of 10,000 parts, has less
/// than one MiB.
pub(crate) const COMMAND_BYTES_MAX: usize = 16 << 20;
/// Bytes of one message to a member: the largest is a log entry with one command of the greatest size.
pub(crate) const MESSAGE_BYTES_MAX: usize = COMMAND_BYTES_MAX + (1 << 20);

/// Paths of the calls between members of the first group, the only one that this release has. Each is a POST with one CBOR
/// message, and names the group after `group/`.
pub(crate) struct RaftPath;

impl RaftPath {
    pub(crate) const APPEND: &'static str = "/rpc/v1/group/0/raft/append";
    pub(crate) const VOTE: &'static str = "/rpc/v1/group/0/raft/vote";
    pub(crate) const SNAPSHOT: &'static str = "/rpc/v1/group/0/raft/snapshot";
    pub(crate) const HELLO: &'static str = "/rpc/v1/group/0/raft/hello";
    pub(crate) const CAMPAIGN: &'static str = "/rpc/v1/group/0/raft/campaign";
    pub(crate) const MAY_STAND: &'static str = "/rpc/v1/group/0/raft/may-stand";
    pub(crate) const REACH: &'static str = "/rpc/v1/group/0/raft/reach";
}

/// Messages that only members send.
macro_rules! between_members {
    ($($message:ty),+) => {
        $(impl Rights for $message {
            fn senders(&self) -> Roles {
                Roles::METADATA
            }
        })+
    };
}

between_members!(Append, AskVote, SnapshotChunk, Hello, Campaign, MayStand, Reach);

/// A member cannot take part: its store failed, or it is stopping.
#[derive(Debug, Clone, thiserror::Error, Encode, Decode)]
#[error("the member cannot take part: {detail}")]
pub(crate) struct Stopped {
    #[n(0)]
    pub(crate) detail: String,
    /// Whether a newer sender of a snapshot has taken the place of this one: it has to begin again.
    #[n(1)]
    pub(crate) is_replaced: Option<bool>,
}

impl Stopped {
    pub(crate) fn because(detail: impl std::fmt::Display) -> Self {
        Self { detail: detail.to_string(), is_replaced: None }
    }

    /// The answer to a chunk of an attempt that was replaced.
    pub(crate) fn replaced() -> Self {
        Self { is_replaced: Some(true), ..Self::because("a newer attempt sends it a snapshot") }
    }
}

/// A member asks another what it knows about it.
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) struct Hello {
    #[n(0)]
    pub(crate) member: MemberId,
    /// The asker's directory.
    #[n(1)]
    pub(crate) incarnation: Incarnation,
    /// What the asker runs.
    #[n(2)]
    pub(crate) release: Release,
}

/// The answer to [`Hello`].
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(crate) struct HelloAnswer {
    #[n(0)]
    pub(crate) member: MemberId,
    /// The answerer's directory.
    #[n(1)]
    pub(crate) incarnation: Incarnation,
    /// Drawn when the answering process started.
    #[n(2)]
    pub(crate) process: ClientId,
    /// `None` until the cluster is formed.
    #[n(3)]
    pub(crate) cluster: Option<ClusterId>,
    /// Whether the answerer's directory has never held anything.
    #[n(4)]
    pub(crate) is_blank: bool,
    /// The directory that acts as the asker, as far as the answerer knows.
    #[n(5)]
    pub(crate) enrolled: Option<Incarnation>,
    /// If the answerer is the leader: the last log entry that the asker has acknowledged to it.
    #[n(6)]
    pub(crate) acknowledged: Option<u64>,
    /// How often the answerer's cluster has begun again.
    #[n(7)]
    pub(crate) recoveries: Option<u64>,
    /// Whether the answerer has the room that a leader needs.
    #[n(8)]
    pub(crate) has_room: Option<bool>,
    /// What the answerer runs.
    #[n(9)]
    pub(crate) release: Release,
}

/// A member asks another whether it would elect it.
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) struct MayStand {
    /// Who asks.
    #[n(0)]
    pub(crate) hello: Hello,
    /// The end of its log.
    #[n(1)]
    pub(crate) last: Option<LogIdRow>,
}

/// A leader asks another member whether it reaches it at its address.
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) struct Reach {
    /// Who asks.
    #[n(0)]
    pub(crate) hello: Hello,
}

/// The answer to [`MayStand`] and [`Reach`].
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) struct Assent {
    /// Why not; `None` for yes.
    #[n(0)]
    pub(crate) refusal: Option<String>,
    /// The term of the leader that the answerer hears, or is, if that is why.
    #[n(1)]
    pub(crate) led_in: Option<u64>,
}

impl Assent {
    /// Yes, or why not.
    pub(crate) fn new(refusal: Option<String>) -> Self {
        Self { refusal, led_in: None }
    }
}

/// A leader asks another member to take over.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub(crate) struct Campaign {
    /// The term of the leader that steps down.
    #[n(0)]
    pub(crate) term: u64,
}

/// The member is standing for election.
#[derive(Debug, Clone, Copy, Encode, Decode)]
pub(crate) struct Campaigning {}

/// Entries to append, or none for a heartbeat.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Append {
    #[n(0)]
    vote: VoteRow,
    #[n(1)]
    previous: Option<LogIdRow>,
    #[n(2)]
    entries: Vec<EntryRow>,
    #[n(3)]
    committed: Option<LogIdRow>,
}

impl Append {
    /// The term of the leader that sends it.
    pub(crate) fn term(&self) -> u64 {
        openraft::Vote::<MemberId>::from(self.vote).leader_id.term
    }

    /// The heartbeat that accompanies `request`. It commits nothing: the entries may not have arrived.
    pub(crate) fn heartbeat(request: &AppendEntriesRequest<TypeConfig>) -> Self {
        Self {
            vote: request.vote.into(),
            previous: request.prev_log_id.map(Into::into),
            entries: Vec::new(),
            committed: None,
        }
    }

    /// Why this release must not take the entries, if it must not: what follows the raise of the level to one that it does not
    /// support may hold what it does not know, and would be lost in this member's log.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.entries.iter().filter_map(EntryRow::level).find_map(|level| Release::current().refusal(level))
    }

    pub(crate) fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }
}

impl From<AppendEntriesRequest<TypeConfig>> for Append {
    fn from(request: AppendEntriesRequest<TypeConfig>) -> Self {
        Self {
            vote: request.vote.into(),
            previous: request.prev_log_id.map(Into::into),
            entries: request.entries.iter().map(Into::into).collect(),
            committed: request.leader_commit.map(Into::into),
        }
    }
}

impl From<Append> for AppendEntriesRequest<TypeConfig> {
    fn from(message: Append) -> Self {
        Self {
            vote: message.vote.into(),
            prev_log_id: message.previous.map(Into::into),
            entries: message.entries.into_iter().map(Into::into).collect(),
            leader_commit: message.committed.map(Into::into),
        }
    }
}

/// A follower's answer to entries.
#[derive(Debug, Encode, Decode)]
pub(crate) enum Appended {
    #[n(0)]
    All,
    #[n(1)]
    Upto(#[n(0)] Option<LogIdRow>),
    #[n(2)]
    Conflict,
    #[n(3)]
    HigherVote(#[n(0)] VoteRow),
}

impl Appended {
    /// Whether the sender is accepted as the leader.
    pub(crate) fn follows(&self) -> bool {
        !matches!(self, Self::HigherVote(_))
    }
}

impl From<AppendEntriesResponse<MemberId>> for Appended {
    fn from(response: AppendEntriesResponse<MemberId>) -> Self {
        match response {
            AppendEntriesResponse::Success => Self::All,
            AppendEntriesResponse::PartialSuccess(upto) => Self::Upto(upto.map(Into::into)),
            AppendEntriesResponse::Conflict => Self::Conflict,
            AppendEntriesResponse::HigherVote(vote) => Self::HigherVote(vote.into()),
        }
    }
}

impl From<Appended> for AppendEntriesResponse<MemberId> {
    fn from(message: Appended) -> Self {
        match message {
            Appended::All => Self::Success,
            Appended::Upto(upto) => Self::PartialSuccess(upto.map(Into::into)),
            Appended::Conflict => Self::Conflict,
            Appended::HigherVote(vote) => Self::HigherVote(vote.into()),
        }
    }
}

#[derive(Debug, Encode, Decode)]
pub(crate) struct AskVote {
    #[n(0)]
    vote: VoteRow,
    #[n(1)]
    last: Option<LogIdRow>,
}

impl From<VoteRequest<MemberId>> for AskVote {
    fn from(request: VoteRequest<MemberId>) -> Self {
        Self { vote: request.vote.into(), last: request.last_log_id.map(Into::into) }
    }
}

impl From<AskVote> for VoteRequest<MemberId> {
    fn from(message: AskVote) -> Self {
        Self::new(message.vote.into(), message.last.map(Into::into))
    }
}

#[derive(Debug, Encode, Decode)]
pub(crate) struct Voted {
    #[n(0)]
    vote: VoteRow,
    #[n(1)]
    granted: bool,
    #[n(2)]
    last: Option<LogIdRow>,
}

impl From<VoteResponse<MemberId>> for Voted {
    fn from(response: VoteResponse<MemberId>) -> Self {
        Self { vote: response.vote.into(), granted: response.vote_granted, last: response.last_log_id.map(Into::into) }
    }
}

impl From<Voted> for VoteResponse<MemberId> {
    fn from(message: Voted) -> Self {
        Self { vote: message.vote.into(), vote_granted: message.granted, last_log_id: message.last.map(Into::into) }
    }
}

/// Chunks of an attempt come in order, from the first one on.
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) struct SnapshotChunk {
    #[n(0)]
    pub(crate) vote: VoteRow,
    /// The last log entry in the snapshot.
    #[n(1)]
    pub(crate) applied: Option<LogIdRow>,
    #[n(2)]
    pub(crate) membership: MembershipRow,
    #[n(3)]
    pub(crate) id: String,
    /// Counts the chunks from 0.
    #[n(4)]
    pub(crate) number: u32,
    #[n(5)]
    pub(crate) last: bool,
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) records: Vec<u8>,
    /// Version of the state's format; absent means 1.
    #[n(7)]
    pub(crate) format: Option<u32>,
    /// Covers the stream up to the end of this chunk.
    #[n(8)]
    pub(crate) hash: StreamHash,
    /// Absent from a leader of an earlier release.
    #[n(9)]
    pub(crate) attempt: Option<Attempt>,
}

impl SnapshotChunk {
    /// Who sends it.
    pub(crate) fn sender(&self) -> Sender {
        Sender { vote: self.vote.into(), attempt: self.attempt }
    }

    /// The snapshot's metadata for Raft.
    pub(crate) fn meta(&self) -> SnapshotMeta {
        SnapshotMeta {
            last_log_id: self.applied.map(Into::into),
            last_membership: self.membership.clone().into(),
            snapshot_id: self.id.clone(),
        }
    }
}

/// A chunk was received. The last one is answered once the snapshot is installed.
#[derive(Debug, Encode, Decode)]
pub(crate) struct ChunkTaken {
    /// The receiver's vote: higher than the sender's if the sender no longer leads.
    #[n(0)]
    pub(crate) vote: VoteRow,
}
