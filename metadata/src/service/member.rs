//! What the parts of a running member share.

use std::sync::{Arc, Weak};
use std::time::Duration;

use cairn_core::random::RandomSource;
use cairn_protocol::metadata::{Command, Outcome};
use cairn_protocol::rpc::{CallTag, HttpMetadata, RpcClient};
use openraft::raft::VoteResponse;
use tokio::sync::watch;

use crate::leader::{Leader, LeaderError};
use crate::raft::Raft;
use crate::raft::admission::Admission;
use crate::raft::candidacy::Voice;
use crate::raft::log_store::LogStore;
use crate::raft::machine::Machine;
use crate::raft::message::{Stopped, Voted};

/// A running member: the leader that it is or may become, and what it needs as one of several.
pub(crate) struct RunningMember {
    pub(super) leader: Arc<Leader>,
    pub(super) raft: Raft,
    pub(super) machine: Arc<Machine>,
    pub(super) log: LogStore,
    pub(super) admission: Arc<Admission>,
    pub(super) rpc: RpcClient,
    pub(super) voice: Arc<Voice>,
    pub(super) random: Arc<dyn RandomSource>,
    /// When the member started, on the monotonic clock.
    pub(super) started: Duration,
    /// The service as a caller in this process reaches it where another member leads.
    pub(super) remote: HttpMetadata,
    pub(super) stop: watch::Sender<bool>,
    /// Tells whether the log's file is still open.
    pub(super) log_open: Weak<()>,
}

impl RunningMember {
    /// Executes a command, if this member leads.
    pub(super) async fn execute(&self, command: Command, tag: Option<CallTag>) -> Result<Outcome, LeaderError> {
        self.check_heard()?;
        self.leader.execute_tagged(command, tag).await
    }

    /// Refuses a vote; the term stays.
    pub(super) async fn refuse_vote(&self) -> Result<Voted, Stopped> {
        let last = self.log.last();
        let own = self.raft.with_raft_state(move |state| VoteResponse::new(*state.vote_ref(), last, false));
        Ok(own.await.map_err(Stopped::because)?.into())
    }
}
