//! What this node has seen of each group of the metadata service.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_core::id::{CommitSequence, GroupId, SessionId};
use cairn_protocol::metadata::SignalAnswer;
use cairn_protocol::storage::{DeleteOrder, SeenCommit};

use super::commit_watch::{CommitWatch, Verdict, WriteRefusal};

/// A watch for each group, kept apart: the commits of two groups cannot be compared.
#[derive(Debug)]
pub(super) struct CommitWatches {
    groups: BTreeMap<GroupId, CommitWatch>,
}

impl CommitWatches {
    /// Begins with what the node remembers.
    pub(super) fn new(remembered: &[SeenCommit], now: Duration) -> Self {
        let mut watches = Self { groups: BTreeMap::new() };
        watches.watch(GroupId::FIRST, now);
        for seen in remembered {
            watches.groups.insert(seen.commit.group(), CommitWatch::new(*seen, now));
        }
        watches
    }

    fn watch(&mut self, group: GroupId, now: Duration) -> &mut CommitWatch {
        self.groups.entry(group).or_insert_with(|| CommitWatch::new(SeenCommit::nothing(group), now))
    }

    /// What to remember, and to report.
    pub(super) fn seen(&self) -> Vec<SeenCommit> {
        self.groups.values().map(CommitWatch::seen).collect()
    }

    /// The newest commit ever seen of `group`.
    pub(super) fn newest(&self, group: GroupId) -> CommitSequence {
        self.groups.get(&group).map_or(CommitSequence::start(group), CommitWatch::newest)
    }

    /// Orders of `group` from before this commit are refused.
    pub(super) fn floor(&self, group: GroupId) -> CommitSequence {
        self.groups.get(&group).map_or(CommitSequence::start(group), CommitWatch::floor)
    }

    /// Takes a group's answer to a heartbeat.
    pub(super) fn heartbeat(&mut self, answer: &SignalAnswer, now: Duration) -> Verdict {
        self.watch(answer.commit.group(), now).heartbeat(answer, now)
    }

    /// Whether new shards of `session` may be stored, as far as its group decides.
    pub(super) fn check_write(&self, session: SessionId) -> Result<(), WriteRefusal> {
        self.groups.get(&session.group()).map_or(Ok(()), CommitWatch::check_write)
    }

    /// Whether an order's proof covers its shards; the error says why not. A group proves nothing of what other groups'
    /// sessions wrote.
    pub(super) fn check(&self, order: &DeleteOrder) -> Result<(), String> {
        let group = order.proof.group();
        if let Some(shard) = order.shards.iter().find(|shard| shard.extent.session.group() != group) {
            return Err(format!("group {group} of the metadata service cannot prove anything of {shard}"));
        }
        match self.groups.get(&group) {
            Some(watch) => watch.check(order),
            None => Err(format!("group {group} of the metadata service has never answered this node")),
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{Epoch, ExtentId};
    use cairn_core::shard::ShardId;
    use cairn_protocol::storage::DeleteProof;

    use super::*;

    fn group(number: u16) -> GroupId {
        GroupId::new(number).unwrap()
    }

    fn at(group: GroupId, index: u64) -> CommitSequence {
        CommitSequence::new(group, index, 0).unwrap()
    }

    fn answer(commit: CommitSequence) -> SignalAnswer {
        let (history, history_then) = (None, None);
        SignalAnswer {
            map_epoch: Epoch(1),
            commit,
            session_valid: false,
            members: None,
            history,
            history_then,
            is_registered: None,
        }
    }

    fn order(commit: CommitSequence, written_in: GroupId) -> DeleteOrder {
        let shard = ShardId { extent: ExtentId::new(SessionId::new(written_in, 4), 1), index: 0 };
        DeleteOrder { proof: DeleteProof::Committed(commit), shards: vec![shard] }
    }

    /// I15: what one group has reached says nothing about another.
    #[test]
    fn groups_are_watched_apart() {
        let (first, second) = (GroupId::FIRST, group(2));
        let seen = SeenCommit { commit: at(first, 1000), history: None };
        let mut watches = CommitWatches::new(&[seen], Duration::ZERO);
        assert_eq!(watches.heartbeat(&answer(at(second, 5)), Duration::from_secs(1)), Verdict::Good);
        assert_eq!((watches.newest(first), watches.newest(second)), (at(first, 1000), at(second, 5)));
        assert!(watches.check(&order(at(second, 6), second)).is_ok());
        assert!(watches.check(&order(at(first, 6), first)).is_err(), "older than what was seen of it");
        let again = CommitWatches::new(&watches.seen(), Duration::ZERO);
        assert_eq!(again.seen(), watches.seen());
    }

    /// I13
    #[test]
    fn a_group_proves_nothing_of_what_another_wrote() {
        let watches = CommitWatches::new(&[], Duration::ZERO);
        assert!(watches.check(&order(at(GroupId::FIRST, 9), GroupId::FIRST)).is_ok());
        assert!(watches.check(&order(at(GroupId::FIRST, 9), group(1))).is_err());
        assert!(watches.check(&order(at(group(1), 9), group(1))).is_err(), "it has never answered");
    }
}
