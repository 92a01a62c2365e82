//! What the parts of a running member share.

use std::sync::{Arc, Weak};

use cairn_protocol::rpc::{HttpMetadata, RpcClient};
use openraft::raft::VoteResponse;
use tokio::sync::watch;

use crate::leader::Leader;
use crate::raft::Raft;
use crate::raft::admission::Admission;
use crate::raft::log_store::LogStore;
use crate::raft::machine::Machine;
use crate::raft::message::{Stopped, Voted};
use crate::raft::times::ELECTION_MS_MAX;

/// A running member: the leader that it is or may become, and what it needs as one of several.
pub(crate) struct RunningMember {
    pub(super) leader: Arc<Leader>,
    pub(super) raft: Raft,
    pub(super) machine: Arc<Machine>,
    pub(super) log: LogStore,
    pub(super) admission: Arc<Admission>,
    pub(super) rpc: RpcClient,
    /// The service as a caller in this process reaches it where another member leads.
    pub(super) remote: HttpMetadata,
    pub(super) stop: watch::Sender<bool>,
    /// Tells whether the log's file is still open.
    pub(super) log_open: Weak<()>,
}

impl RunningMember {
    /// Whether this member leads and a majority has answered it within the time that followers wait for a leader. No vote
    /// of its own may end such a lead: Raft's lease protects a leader from its followers' votes only.
    pub(super) fn leads_a_majority(&self) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        self.leader.leads() && metrics.millis_since_quorum_ack.is_some_and(|age| age < ELECTION_MS_MAX)
    }

    /// Refuses a vote; the term stays.
    pub(super) async fn refuse_vote(&self) -> Result<Voted, Stopped> {
        let last = self.log.last();
        let own = self.raft.with_raft_state(move |state| VoteResponse::new(*state.vote_ref(), last, false));
        Ok(own.await.map_err(Stopped::because)?.into())
    }
}
