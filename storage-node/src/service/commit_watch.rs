//! Whether an order comes from a group of the metadata service that is as new as this node has seen it (I15).

use std::time::Duration;

use cairn_core::id::{CommitSequence, HistoryId, SessionId};
use cairn_protocol::metadata::SignalAnswer;
use cairn_protocol::storage::{DeleteOrder, DeleteProof, SeenCommit, StorageErrorKind};

/// How long orders may be under way, and answers to heartbeats may arrive out of order.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// Remembers how far the history of one group has come.
///
/// An order to delete is refused if its commit is older than the *floor*: the newest commit that the node had seen when
/// it started, or some 30 to 60 seconds ago, whichever is higher. A valid order is newer, however long the network delayed
/// it; one from a restored backup or an empty store is older, until that store has caught up. While the last heartbeat
/// was answered with a commit below the floor, the metadata service itself is older than what the node has seen: then no
/// committed order is carried out.
#[derive(Debug)]
pub(super) struct CommitWatch {
    floor: CommitSequence,
    /// The newest commits seen in the period before the last, and in the last.
    previous: CommitSequence,
    current: CommitSequence,
    rotated_at: Duration,
    /// The commit in the last answer to a heartbeat.
    heartbeat: Option<CommitSequence>,
    /// The history of the newest commit.
    history: Option<HistoryId>,
    /// Whether the last heartbeat was answered by a service of another history.
    is_other: bool,
}

/// What the answer to a heartbeat says about the metadata service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is as new as what this node has seen.
    Good,
    /// It is older.
    Behind,
    /// The commit that this node has seen is not in its history, whatever number it has reached.
    OtherHistory,
}

/// Why no new shards are stored.
#[derive(Debug)]
pub(super) struct WriteRefusal {
    pub(super) kind: StorageErrorKind,
    pub(super) why: String,
}

impl CommitWatch {
    /// Begins with what the node remembers.
    pub(super) fn new(remembered: SeenCommit, now: Duration) -> Self {
        let SeenCommit { commit, history } = remembered;
        let (previous, current) = (CommitSequence(0), CommitSequence(0));
        Self { floor: commit, previous, current, rotated_at: now, heartbeat: None, history, is_other: false }
    }

    /// The newest commit ever seen.
    pub(super) fn newest(&self) -> CommitSequence {
        self.floor.max(self.previous).max(self.current)
    }

    /// The newest commit ever seen, with its history.
    pub(super) fn seen(&self) -> SeenCommit {
        SeenCommit { commit: self.newest(), history: self.history }
    }

    /// Orders of commits before this one are refused.
    pub(super) fn floor(&self) -> CommitSequence {
        self.floor
    }

    /// Takes the answer to a heartbeat.
    pub(super) fn heartbeat(&mut self, answer: &SignalAnswer, now: Duration) -> Verdict {
        let then = answer.history_then;
        self.is_other = self.history.is_some() && then.is_some() && then != self.history;
        if self.is_other {
            return Verdict::OtherHistory;
        }
        if now.saturating_sub(self.rotated_at) >= SETTLE_TIME {
            self.floor = self.floor.max(self.previous);
            self.previous = self.current;
            self.rotated_at = now;
        }
        if answer.commit >= self.newest() {
            self.history = answer.history;
        }
        self.current = self.current.max(answer.commit);
        self.heartbeat = Some(answer.commit);
        if self.is_behind() { Verdict::Behind } else { Verdict::Good }
    }

    fn is_behind(&self) -> bool {
        self.heartbeat.is_some_and(|commit| commit < self.floor)
    }

    /// Whether new shards may be stored. A metadata service that was restored from an old copy gives session numbers out
    /// again, and shards are already stored here under them: what is written in its name would replace those (I12).
    pub(super) fn check_write(&self) -> Result<(), WriteRefusal> {
        let newest = self.newest();
        if self.is_other || self.is_behind() {
            let why = format!(
                "commit {newest}, which this node has seen, is not in the history of the metadata service: nothing new is \
                 stored, because it could have the names of shards that are stored here"
            );
            return Err(WriteRefusal { kind: StorageErrorKind::Refused, why });
        }
        if self.history.is_some() && self.heartbeat.is_none() {
            let why = "the metadata service has not answered since this node started".to_owned();
            return Err(WriteRefusal { kind: StorageErrorKind::Busy, why });
        }
        Ok(())
    }

    /// Whether an order's proof covers its shards; the error says why not.
    pub(super) fn check(&self, order: &DeleteOrder) -> Result<(), String> {
        match order.proof {
            DeleteProof::Committed(_) if self.is_other => Err(format!(
                "the metadata service has another history than the one that led to commit {}, which this node has seen: \
                 nothing is deleted",
                self.newest()
            )),
            DeleteProof::Committed(_) if self.is_behind() => Err(format!(
                "the metadata service is at commit {}, this node has seen {}: nothing is deleted until it has caught up",
                self.heartbeat.unwrap_or_default(),
                self.floor
            )),
            DeleteProof::Committed(commit) if commit < self.floor => {
                Err(format!("the order is of commit {commit}, this node has seen {}", self.floor))
            }
            DeleteProof::Committed(_) => Ok(()),
            // A session of a restored service may have the number of an earlier one.
            DeleteProof::Aborted(session) => {
                self.check_write().map_err(|refusal| refusal.why)?;
                check_session(order, session)
            }
        }
    }
}

/// A gateway may only discard what it wrote itself, in the same session.
fn check_session(order: &DeleteOrder, session: SessionId) -> Result<(), String> {
    match order.shards.iter().find(|shard| shard.extent.session != session) {
        Some(shard) => Err(format!("session {session} did not write {shard}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::ExtentId;
    use cairn_core::shard::ShardId;

    use super::*;

    fn remembering_100() -> CommitWatch {
        CommitWatch::new(SeenCommit { commit: CommitSequence(100), history: None }, Duration::ZERO)
    }

    fn order(proof: DeleteProof) -> DeleteOrder {
        DeleteOrder { proof, shards: vec![ShardId { extent: ExtentId::new(SessionId(4), 1), index: 0 }] }
    }

    fn committed(watch: &CommitWatch, commit: u64) -> bool {
        watch.check(&order(DeleteProof::Committed(CommitSequence(commit)))).is_ok()
    }

    fn answer(commit: u64, history: Option<u8>, then: Option<u8>) -> SignalAnswer {
        let id = |n| HistoryId::from_bytes([n; 16]);
        SignalAnswer {
            map_epoch: cairn_core::id::Epoch(1),
            commit: CommitSequence(commit),
            session_valid: false,
            members: None,
            history: history.map(id),
            history_then: then.map(id),
            is_registered: None,
        }
    }

    /// I15: a service that was restored and has come past what was seen deletes nothing, before a restart and after it.
    #[test]
    fn another_history_deletes_nothing_however_far_it_has_come() {
        let at = Duration::from_secs;
        let mut watch = remembering_100();
        assert_eq!(watch.heartbeat(&answer(200, Some(1), None), at(1)), Verdict::Good);
        assert_eq!(watch.heartbeat(&answer(300, Some(2), Some(1)), at(2)), Verdict::Good, "only another leader");
        let seen = watch.seen();
        assert_eq!(seen.commit, CommitSequence(300));
        for mut watch in [watch, CommitWatch::new(seen, at(3))] {
            assert_eq!(watch.heartbeat(&answer(5000, Some(3), Some(3)), at(4)), Verdict::OtherHistory);
            assert!(!committed(&watch, 6000) && watch.check_write().is_err());
            assert!(watch.check(&order(DeleteProof::Aborted(SessionId(4)))).is_err(), "it may be another session 4");
            assert_eq!(watch.seen(), seen, "it is remembered");
            assert_eq!(watch.heartbeat(&answer(1 << 40, Some(4), None), at(5)), Verdict::Good, "the loss was declared");
            assert!(committed(&watch, 1 << 41) && watch.check_write().is_ok());
        }
        let fresh = CommitWatch::new(seen, at(0));
        assert!(
            matches!(fresh.check_write(), Err(WriteRefusal { kind: StorageErrorKind::Busy, .. })),
            "it has not said who it is"
        );
    }

    #[test]
    fn a_commit_seen_before_the_start_counts_at_once() {
        let watch = remembering_100();
        assert!(!committed(&watch, 0) && !committed(&watch, 99) && committed(&watch, 100));
    }

    #[test]
    fn a_commit_seen_now_counts_once_orders_under_way_have_arrived() {
        let at = Duration::from_secs;
        let mut watch = remembering_100();
        assert_eq!(watch.heartbeat(&answer(200, None, None), at(1)), Verdict::Good);
        assert!(committed(&watch, 150));
        for second in 2..100 {
            assert_eq!(watch.heartbeat(&answer(200, None, None), at(second)), Verdict::Good);
        }
        assert!(!committed(&watch, 199) && committed(&watch, 200));
        assert_eq!(watch.newest(), CommitSequence(200));
    }

    #[test]
    fn an_older_metadata_service_deletes_nothing() {
        let mut watch = remembering_100();
        assert_eq!(watch.heartbeat(&answer(3, None, None), Duration::from_secs(1)), Verdict::Behind);
        assert!(!committed(&watch, 500));
        assert_eq!(watch.heartbeat(&answer(100, None, None), Duration::from_secs(2)), Verdict::Good);
        assert!(committed(&watch, 500));
    }

    #[test]
    fn a_session_discards_only_what_it_wrote() {
        let watch = remembering_100();
        assert!(watch.check(&order(DeleteProof::Aborted(SessionId(4)))).is_ok());
        assert!(watch.check(&order(DeleteProof::Aborted(SessionId(5)))).is_err());
    }
}
