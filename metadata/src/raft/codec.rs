//! The encoding of Raft's own types, the same for the log on disk and for messages between members.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use openraft::{BasicNode, CommittedLeaderId, LogId, Membership, StoredMembership, Vote};

use crate::state::tables::Row;
use cairn_core::id::MemberId;

/// A [`LogId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct LogIdRow {
    #[n(0)]
    term: u64,
    #[n(1)]
    leader: MemberId,
    #[n(2)]
    index: u64,
}

impl From<LogId<MemberId>> for LogIdRow {
    fn from(id: LogId<MemberId>) -> Self {
        Self { term: id.leader_id.term, leader: id.leader_id.node_id, index: id.index }
    }
}

impl From<LogIdRow> for LogId<MemberId> {
    fn from(row: LogIdRow) -> Self {
        Self::new(CommittedLeaderId::new(row.term, row.leader), row.index)
    }
}

/// A [`Vote`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct VoteRow {
    #[n(0)]
    term: u64,
    #[n(1)]
    candidate: MemberId,
    #[n(2)]
    committed: bool,
}

impl From<Vote<MemberId>> for VoteRow {
    fn from(vote: Vote<MemberId>) -> Self {
        Self { term: vote.leader_id.term, candidate: vote.leader_id.node_id, committed: vote.committed }
    }
}

impl From<VoteRow> for Vote<MemberId> {
    fn from(row: VoteRow) -> Self {
        if row.committed { Self::new_committed(row.term, row.candidate) } else { Self::new(row.term, row.candidate) }
    }
}

/// A membership and the log entry that set it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct MembershipRow {
    #[n(0)]
    log_id: Option<LogIdRow>,
    /// The sets of voters: two while the membership is changing.
    #[n(1)]
    voters: Vec<Vec<MemberId>>,
    /// Every member, learners included, with its RPC address.
    #[n(2)]
    members: Vec<(MemberId, String)>,
}

impl MembershipRow {
    pub(crate) fn new(log_id: Option<LogId<MemberId>>, membership: &Membership<MemberId, BasicNode>) -> Self {
        Self {
            log_id: log_id.map(Into::into),
            voters: membership.get_joint_config().iter().map(|set| set.iter().copied().collect()).collect(),
            members: membership.nodes().map(|(id, node)| (*id, node.addr.clone())).collect(),
        }
    }

    pub(crate) fn membership(&self) -> Membership<MemberId, BasicNode> {
        let voters: Vec<BTreeSet<MemberId>> = self.voters.iter().map(|set| set.iter().copied().collect()).collect();
        let members: BTreeMap<MemberId, BasicNode> =
            self.members.iter().map(|(id, addr)| (*id, BasicNode::new(addr))).collect();
        Membership::new(voters, members)
    }
}

impl From<&StoredMembership<MemberId, BasicNode>> for MembershipRow {
    fn from(stored: &StoredMembership<MemberId, BasicNode>) -> Self {
        Self::new(*stored.log_id(), stored.membership())
    }
}

impl From<MembershipRow> for StoredMembership<MemberId, BasicNode> {
    fn from(row: MembershipRow) -> Self {
        Self::new(row.log_id.map(Into::into), row.membership())
    }
}

impl Row for LogIdRow {
    const TABLE: &'static str = "meta";
}

impl Row for MembershipRow {
    const TABLE: &'static str = "meta";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn raft_types_read_back(term: u64, member: u64, index: u64, committed: bool, voters in proptest::collection::btree_set(0u64..9, 1..4)) {
            let member = MemberId(member);
            let voters: BTreeSet<MemberId> = voters.into_iter().map(MemberId).collect();
            let log_id = LogId::new(CommittedLeaderId::new(term, member), index);
            prop_assert_eq!(LogId::from(LogIdRow::from(log_id)), log_id);
            let vote = if committed { Vote::new_committed(term, member) } else { Vote::new(term, member) };
            prop_assert_eq!(Vote::from(VoteRow::from(vote)), vote);
            let members: BTreeMap<_, _> = voters.iter().map(|v| (*v, BasicNode::new(format!("host{v}:9002")))).collect();
            let stored = StoredMembership::new(Some(log_id), Membership::new(vec![voters], members));
            let bytes = minicbor::to_vec(MembershipRow::from(&stored)).unwrap();
            let read: MembershipRow = minicbor::decode(&bytes).unwrap();
            prop_assert_eq!(StoredMembership::from(read), stored);
        }
    }
}
