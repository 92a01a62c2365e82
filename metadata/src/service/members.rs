//! Adds and removes members of the service, and hands over the lead, while everything runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::release::{FeatureLevel, Release};
use cairn_protocol::metadata::Rejection;
use cairn_protocol::metadata::query::{MemberEntry, MemberRole, MemberTable};
use futures_util::future::join_all;
use openraft::{BasicNode, ChangeMembers};

use super::hello::hello;
use super::member::RunningMember;
use crate::leader::LeaderError;
use crate::raft::message::{Campaign, Campaigning, RaftPath, Stopped};
use crate::raft::times::ELECTION_MS_MAX;
use crate::state::tables::meta;
use cairn_core::id::MemberId;

/// Limit of members: more make commits slower without a benefit.
const MEMBERS_MAX: usize = 7;
/// Time for the next leader to catch up, and to be elected.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(2);
const ELECTED_LIMIT: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(10);
/// Limit for a member to stand for election.
const CAMPAIGN_LIMIT: Duration = Duration::from_secs(1);

/// Why removing `member` would stop the service, if it would.
fn removal_stops(member: MemberId, voters: &[BTreeSet<MemberId>], alive: &BTreeSet<MemberId>) -> Option<String> {
    let is_majority = |set: &BTreeSet<MemberId>| set.intersection(alive).count() > set.len() / 2;
    let describe = |set: &BTreeSet<MemberId>| {
        let dead: Vec<String> = set.difference(alive).map(ToString::to_string).collect();
        format!("of {} members that vote, {} do not answer ({})", set.len(), dead.len(), dead.join(", "))
    };
    let mut rest = voters.last().cloned().unwrap_or_default();
    rest.remove(&member);
    if rest.is_empty() {
        return Some(format!("member {member} is the last one that votes"));
    }
    if let Some(set) = voters.iter().find(|set| !is_majority(set)) {
        return Some(format!("{}: no change can be agreed on; see docs/operations.md on lost members", describe(set)));
    }
    if !is_majority(&rest) {
        return Some(format!("without member {member}, {}: bring them back or replace them first", describe(&rest)));
    }
    None
}

fn refused(text: String) -> LeaderError {
    LeaderError::Rejected(Rejection::Topology(text))
}

impl RunningMember {
    /// Which members answer now.
    async fn alive(&self, nodes: &BTreeMap<MemberId, String>) -> BTreeSet<MemberId> {
        self.releases(nodes).await.into_keys().collect()
    }

    /// What the members run that answer now.
    pub(super) async fn releases(&self, nodes: &BTreeMap<MemberId, String>) -> BTreeMap<MemberId, Release> {
        let me = self.admission.me();
        let question = self.greeting();
        let asked = nodes.iter().filter(|(id, _)| **id != me.member).map(async |(id, addr)| {
            let answer = hello(&self.rpc, addr, &question).await.ok().filter(|answer| answer.member == *id)?;
            Some((*id, answer.release))
        });
        join_all(asked).await.into_iter().flatten().chain([(me.member, Release::current())]).collect()
    }

    /// The members as this leader sees them.
    pub(super) async fn member_table(&self) -> Result<MemberTable, LeaderError> {
        let group = self.leader.members().group();
        let alive = self.alive(&group.nodes).await;
        let restored = self.leader.read(|view| meta::get(&view.meta()?, meta::RESTORED)).await?;
        let entry = |(member, addr): (&MemberId, &String)| {
            let leads = *member == self.admission.me().member;
            MemberEntry {
                member: *member,
                addr: addr.clone(),
                role: match (leads, group.is_voter(*member)) {
                    (true, _) => MemberRole::Leader,
                    (false, true) => MemberRole::Voter,
                    (false, false) => MemberRole::Learner,
                },
                matched: if leads { Some(group.last_log) } else { group.matched(*member) },
                answers: alive.contains(member),
            }
        };
        Ok(MemberTable {
            members: group.nodes.iter().map(entry).collect(),
            term: group.term,
            last_log: group.last_log,
            is_changing: group.voters.len() > 1,
            restored,
        })
    }

    /// Adds a new member as a learner; the jobs make it a voter once it has caught up.
    pub(super) async fn add_member(&self, member: MemberId, addr: String) -> Result<(), LeaderError> {
        let group = self.leader.members().group();
        match group.nodes.get(&member) {
            Some(known) if *known == addr => return Ok(()),
            Some(known) => return Err(refused(format!("member {member} is in the cluster already, at {known}"))),
            None => {}
        }
        if let Some((other, _)) = group.nodes.iter().find(|(_, known)| **known == addr) {
            return Err(refused(format!("{addr} is the address of member {other}")));
        }
        if group.nodes.len() >= MEMBERS_MAX {
            return Err(refused(format!("there are {MEMBERS_MAX} members already, which is as many as there may be")));
        }
        if group.nodes.get(&self.admission.me().member).is_none_or(String::is_empty) {
            return Err(refused(
                "this member has no address that others can reach: a process with all roles cannot be joined; run the \
                 metadata role in a process of its own, with server.rpc_advertise"
                    .to_owned(),
            ));
        }
        let question = self.greeting();
        let newcomer = hello(&self.rpc, &addr, &question).await.map_err(refused)?;
        if newcomer.member != member {
            let theirs = newcomer.member;
            return Err(refused(format!("{addr} is member {theirs}, not {member}: check metadata.id there")));
        }
        if !newcomer.is_blank {
            return Err(refused(format!(
                "the directory of member {member} at {addr} is not empty: a member joins with nothing of its own"
            )));
        }
        let level = self.machine.map().map_or(FeatureLevel::FIRST, |map| map.level);
        if let Some(refusal) = newcomer.release.refusal(level) {
            return Err(LeaderError::Rejected(Rejection::OtherRelease(format!("member {member}: {refusal}"))));
        }
        self.admission.meet(member, newcomer.incarnation, newcomer.release.newest);
        self.leader.members().enroll(member, Some(newcomer.incarnation)).await?;
        tracing::info!(%member, %addr, "a metadata member is added");
        self.leader
            .members()
            .change(ChangeMembers::AddNodes(BTreeMap::from([(member, BasicNode::new(addr))])), true)
            .await
    }

    /// Takes a member out.
    pub(super) async fn remove_member(self: &Arc<Self>, member: MemberId) -> Result<(), LeaderError> {
        let group = self.leader.members().group();
        if !group.nodes.contains_key(&member) {
            return Ok(());
        }
        if group.is_voter(member) {
            let alive = self.alive(&group.nodes).await;
            if let Some(reason) = removal_stops(member, &group.voters, &alive) {
                return Err(refused(reason));
            }
            if member == self.admission.me().member {
                let next = alive.iter().filter(|other| **other != member && group.is_voter(**other));
                let next = next.min_by_key(|other| group.lag(**other).unwrap_or(u64::MAX)).copied();
                let next = next.ok_or_else(|| refused(format!("no other member can lead instead of {member}")))?;
                self.transfer_lead(next).await?;
                return Err(LeaderError::NotLeader(group.nodes.get(&next).cloned()));
            }
            self.leader.members().change(ChangeMembers::RemoveVoters(BTreeSet::from([member])), false).await?;
        }
        if self.leader.members().group().nodes.contains_key(&member) {
            self.leader.members().change(ChangeMembers::RemoveNodes(BTreeSet::from([member])), false).await?;
        }
        tracing::info!(%member, "a metadata member is removed");
        self.leader.members().enroll(member, None).await
    }

    /// Makes `member` lead. For about a second nobody does.
    pub(super) async fn transfer_lead(self: &Arc<Self>, member: MemberId) -> Result<(), LeaderError> {
        if member == self.admission.me().member {
            return Ok(());
        }
        let group = self.leader.members().group();
        let Some(addr) = group.nodes.get(&member).filter(|_| group.is_voter(member)).cloned() else {
            return Err(refused(format!("member {member} does not vote: see `cairn metadata members list`")));
        };
        self.leader.begin_hand_over()?;
        // In a task of its own, so that it finishes even if the call is cancelled.
        let local = Arc::clone(self);
        let handing = tokio::spawn(async move {
            let handed = local.hand_over(member, &addr).await;
            local.raft.runtime_config().heartbeat(true);
            local.leader.end_hand_over();
            handed
        });
        handing.await.map_err(|e| LeaderError::TaskEnded(e.to_string()))?
    }

    async fn hand_over(&self, member: MemberId, addr: &str) -> Result<(), LeaderError> {
        let caught_up = async {
            while self.leader.members().group().lag(member) != Some(0) {
                tokio::time::sleep(STEP).await;
            }
        };
        let late = |_| refused(format!("member {member} does not catch up: see `cairn metadata members list`"));
        tokio::time::timeout(CATCH_UP_LIMIT, caught_up).await.map_err(late)?;
        // The others elect nobody as long as they hear of this leader.
        self.raft.runtime_config().heartbeat(false);
        tokio::time::sleep(Duration::from_millis(ELECTION_MS_MAX + 50)).await;
        let term = self.leader.term();
        let asked = self
            .rpc
            .call::<Campaign, Campaigning, Stopped>(addr, RaftPath::CAMPAIGN, &Campaign { term }, CAMPAIGN_LIMIT)
            .await;
        match asked {
            Ok(Ok(_)) => {}
            Ok(Err(stopped)) => return Err(refused(format!("member {member}: {stopped}"))),
            Err(error) => return Err(refused(format!("member {member}: {error}"))),
        }
        let elected = async {
            while self.leader.term() == term || self.raft.metrics().borrow().current_leader.is_none() {
                tokio::time::sleep(STEP).await;
            }
        };
        let late = |_| LeaderError::NotElectedYet(member);
        tokio::time::timeout(ELECTED_LIMIT, elected).await.map_err(late)
    }

    /// Stands for election, as the leader of `term` asks.
    pub(super) async fn campaign(&self, term: u64) -> Result<(), String> {
        if self.leader.term() != term {
            return Err(format!("term {term} is over"));
        }
        self.check_room_to_lead()?;
        self.raft.trigger().elect().await.map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(members: &[u64]) -> BTreeSet<MemberId> {
        members.iter().copied().map(MemberId).collect()
    }

    #[test]
    fn a_removal_leaves_a_majority_that_is_alive() {
        let allowed = |member, voters: &[u64], alive: &[u64]| {
            removal_stops(MemberId(member), &[set(voters)], &set(alive)).is_none()
        };
        assert!(allowed(3, &[1, 2, 3], &[1, 2, 3]));
        assert!(allowed(3, &[1, 2, 3], &[1, 2]), "the dead one");
        assert!(!allowed(2, &[1, 2, 3], &[1, 2]), "1 would be left with the dead one");
        assert!(!allowed(3, &[1, 2, 3], &[1]), "no majority agrees to anything");
        assert!(!allowed(1, &[1], &[1]));
        assert!(allowed(5, &[1, 2, 3, 4, 5], &[1, 2, 3]));
        assert!(!allowed(1, &[1, 2, 3, 4, 5], &[1, 2, 3]));
        assert!(removal_stops(MemberId(4), &[set(&[1, 2, 3]), set(&[1, 2, 4])], &set(&[1, 4])).is_some());
    }
}
