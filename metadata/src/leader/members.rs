//! The membership of the service, as Raft has it, and how the leader changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::MemberId;
use openraft::error::{ClientWriteError, RaftError};
use openraft::{BasicNode, ChangeMembers};

use super::error::LeaderError;
use super::proposer;
use super::witness::Witness;
use crate::raft::Raft;
use crate::raft::proposal::Change;
use crate::state::tables::members::Enroll;
use cairn_core::id::Incarnation;

/// Time for a change of the membership to be committed.
const CHANGE_LIMIT: Duration = Duration::from_secs(10);

/// The membership in force, as Raft knows it.
pub(crate) struct Group {
    /// One set of voters, or two while a change is under way.
    pub(crate) voters: Vec<BTreeSet<MemberId>>,
    pub(crate) nodes: BTreeMap<MemberId, String>,
    matched: BTreeMap<MemberId, Option<u64>>,
    pub(crate) term: u64,
    pub(crate) last_log: u64,
}

impl Group {
    pub(crate) fn is_voter(&self, member: MemberId) -> bool {
        self.voters.iter().any(|set| set.contains(&member))
    }

    /// The last log entry that `member` has, as far as this leader knows.
    pub(crate) fn matched(&self, member: MemberId) -> Option<u64> {
        self.matched.get(&member).copied().flatten()
    }

    /// Log entries that `member` lacks.
    pub(crate) fn lag(&self, member: MemberId) -> Option<u64> {
        self.matched(member).map(|matched| self.last_log.saturating_sub(matched))
    }

    /// The voters after the change in progress.
    pub(crate) fn target(&self) -> BTreeSet<MemberId> {
        self.voters.last().cloned().unwrap_or_default()
    }
}

/// The membership. Changes are refused where this member does not lead.
pub(crate) struct Members {
    raft: Raft,
    clock: Arc<dyn Clock>,
}

impl Members {
    pub(super) fn new(raft: Raft, clock: Arc<dyn Clock>) -> Self {
        Self { raft, clock }
    }

    pub(crate) fn group(&self) -> Group {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let membership = metrics.membership_config.membership();
        let replication = metrics.replication.iter().flatten();
        Group {
            voters: membership.get_joint_config().clone(),
            nodes: membership.nodes().map(|(id, node)| (*id, node.addr.clone())).collect(),
            matched: replication.map(|(id, matched)| (*id, matched.map(|id| id.index))).collect(),
            term: metrics.current_term,
            last_log: metrics.last_log_index.unwrap_or(0),
        }
    }

    /// The members in force, with their addresses.
    pub(crate) fn addresses(&self) -> BTreeMap<MemberId, String> {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.membership().nodes().map(|(id, node)| (*id, node.addr.clone())).collect()
    }

    /// Records which directory acts as `member` from now on; `None` once it is removed.
    pub(crate) async fn enroll(&self, member: MemberId, incarnation: Option<Incarnation>) -> Result<(), LeaderError> {
        let change = Change::Enroll(Enroll { member, incarnation });
        bounded(proposer::change(&self.raft, self.clock.as_ref(), change)).await
    }

    /// Changes Raft's membership. `retain` keeps voters that are removed as learners.
    pub(crate) async fn change(
        &self,
        change: ChangeMembers<MemberId, BasicNode>,
        retain: bool,
    ) -> Result<(), LeaderError> {
        let changed = async {
            let witness = Witness::before_write(&self.raft);
            match self.raft.change_membership(change, retain).await {
                Ok(_) => Ok(()),
                Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                    Err(witness.refusal(&self.raft, forward).await)
                }
                Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error))) => {
                    Err(LeaderError::MembershipBusy(error.to_string()))
                }
                Err(RaftError::Fatal(fatal)) => Err(LeaderError::RaftStopped(fatal.to_string())),
            }
        };
        bounded(changed).await
    }
}

async fn bounded(change: impl Future<Output = Result<(), LeaderError>>) -> Result<(), LeaderError> {
    let late = |_| LeaderError::TooLate { what: "agreed on", limit: CHANGE_LIMIT };
    tokio::time::timeout(CHANGE_LIMIT, change).await.map_err(late)?
}
