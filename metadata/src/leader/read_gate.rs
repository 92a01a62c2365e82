//! Makes reads linearizable: they see everything that was acknowledged before they began (I19).

use std::sync::Arc;

use openraft::ServerState;
use openraft::error::{CheckIsLeaderError, RaftError};
use tokio::sync::{mpsc, oneshot};

use super::error::LeaderError;
use crate::raft::Raft;
use crate::raft::log_store::LogEnd;
use crate::raft::machine::Machine;

/// Reads that wait for one round of confirmation; beyond that their askers wait.
const WAITING_MAX: usize = 4096;

type Answer = oneshot::Sender<Result<(), LeaderError>>;

/// The gate. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ReadGate {
    raft: Raft,
    machine: Arc<Machine>,
    confirmations: mpsc::Sender<Answer>,
    /// Where the log ended when the process started.
    at_start: LogEnd,
}

/// Whether this member may answer a read.
enum Standing {
    /// It leads and is the only voter: nobody else can have acknowledged anything, and what it acknowledged is applied.
    Sole,
    /// It leads; a majority has to confirm that it still does.
    Leader,
    /// It does not lead, or has not applied what earlier leaders committed.
    No(LeaderError),
}

impl ReadGate {
    /// Starts the task that asks the majority, once for all reads that wait.
    pub(crate) fn spawn(raft: Raft, machine: Arc<Machine>, at_start: LogEnd) -> Self {
        let (confirmations, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(confirm(raft.clone(), waiting));
        Self { raft, machine, confirmations, at_start }
    }

    /// Returns once a view taken from now on is linearizable.
    pub(crate) async fn pass(&self) -> Result<(), LeaderError> {
        match self.standing() {
            Standing::Sole => Ok(()),
            Standing::No(failure) => Err(failure),
            Standing::Leader => {
                let (answer, answered) = oneshot::channel();
                self.confirmations.send(answer).await.map_err(|_| LeaderError::Stopping)?;
                answered.await.map_err(|_| LeaderError::Stopping)?
            }
        }
    }

    /// Whether this member leads and has applied an entry of its own term, hence all that was committed before it.
    pub(crate) fn leads(&self) -> bool {
        !matches!(self.standing(), Standing::No(_))
    }

    /// Whether this member leads and is the only one that votes.
    pub(crate) fn is_sole(&self) -> bool {
        matches!(self.standing(), Standing::Sole)
    }

    /// The term of this member's lead, or whichever term it follows.
    pub(crate) fn term(&self) -> u64 {
        self.raft.server_metrics().borrow().vote.leader_id.term
    }

    /// Whether the leader of `term` has applied all that can have been acknowledged: an entry of its own term, and where
    /// it still leads in the term in which the process stopped, also all that the log held then.
    fn is_caught_up(&self, term: u64) -> bool {
        self.machine.applied().is_some_and(|applied| {
            applied.leader_id.term == term && (term > self.at_start.term || applied.index >= self.at_start.index)
        })
    }

    fn standing(&self) -> Standing {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow();
        if metrics.state != ServerState::Leader {
            let leader = metrics.current_leader.and_then(|id| metrics.membership_config.membership().get_node(&id));
            return Standing::No(LeaderError::NotLeader(leader.map(|node| node.addr.clone())));
        }
        if !self.is_caught_up(metrics.vote.leader_id.term) {
            return Standing::No(LeaderError::NotReady);
        }
        match metrics.membership_config.membership().get_joint_config().as_slice() {
            [voters] if voters.len() == 1 => Standing::Sole,
            _ => Standing::Leader,
        }
    }
}

async fn confirm(raft: Raft, mut waiting: mpsc::Receiver<Answer>) {
    let mut answers = Vec::new();
    // Reads that arrive during a round wait for the next: a round confirms only what came before it.
    while waiting.recv_many(&mut answers, WAITING_MAX).await > 0 {
        let result = match raft.ensure_linearizable().await {
            Ok(_) => Ok(()),
            Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(leader))) => {
                Err(LeaderError::NotLeader(leader.leader_node.map(|node| node.addr)))
            }
            Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(error))) => {
                Err(LeaderError::NoQuorum(error.to_string()))
            }
            Err(RaftError::Fatal(fatal)) => Err(LeaderError::RaftDown(fatal.to_string())),
        };
        for answer in answers.drain(..) {
            // A caller that no longer waits was cancelled.
            let _ = answer.send(result.clone());
        }
    }
}
