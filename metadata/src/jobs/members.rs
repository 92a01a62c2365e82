//! The leader's maintenance of the membership.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use openraft::{BasicNode, ChangeMembers};

use super::job::Job;
use crate::leader::{Leader, LeaderError};
use crate::raft::admission::Admission;
use crate::state::tables::members;

/// Entries that a learner may lack when it becomes a voter.
const LAG_MAX: u64 = 200;

pub(super) struct Membership {
    pub(super) admission: Arc<Admission>,
    /// Empty in a single process.
    pub(super) own_addr: String,
}

impl Job for Membership {
    const NAME: &'static str = "membership";

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<bool, LeaderError> {
        maintain(leader, &self.admission, &self.own_addr).await.map(|()| false)
    }
}

/// Finishes what an earlier leader left half done, lets learners vote that have caught up, and keeps the record of
/// members and this member's own address.
async fn maintain(leader: &Leader, admission: &Admission, own_addr: &str) -> Result<(), LeaderError> {
    let (members, me) = (leader.members(), admission.me().member);
    let group = members.group();
    if group.voters.len() > 1 {
        return members.change(ChangeMembers::ReplaceAllVoters(group.target()), false).await;
    }
    let record = leader.read(|view| members::record(&view.meta()?)).await?;
    for member in group.nodes.keys().filter(|member| record.of(**member).is_none()) {
        if let Some(incarnation) = admission.incarnation_of(*member) {
            members.enroll(*member, Some(incarnation)).await?;
        }
    }
    let is_sole = group.nodes.len() == 1;
    if is_sole && !own_addr.is_empty() && group.nodes.get(&me).is_some_and(|addr| addr != own_addr) {
        let node = BTreeMap::from([(me, BasicNode::new(own_addr))]);
        return members.change(ChangeMembers::SetNodes(node), true).await;
    }
    let ready = group.nodes.keys().find(|id| !group.is_voter(**id) && group.lag(**id).is_some_and(|l| l <= LAG_MAX));
    if let Some(member) = ready {
        tracing::info!(%member, "a metadata member has caught up and votes from now on");
        return members.change(ChangeMembers::AddVoterIds(BTreeSet::from([*member])), true).await;
    }
    Ok(())
}
