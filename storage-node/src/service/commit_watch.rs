//! Whether an order comes from a metadata service that is as new as the one this node has seen (I15).

use std::time::Duration;

use cairn_core::id::{CommitSequence, SessionId};
use cairn_protocol::storage::{DeleteOrder, DeleteProof};

/// Orders may be under way, and heartbeats may be answered out of order, for about so long.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// Remembers how far the cluster's history has gone.
///
/// An order to delete is refused if its commit is older than the *floor*: the newest commit that the node had seen when
/// it started, or some 30 to 60 seconds ago, whichever is higher. An honest order is younger than that, however long
/// the network held it up; one from a restored backup or an empty store is older, until that store has caught up. While
/// the last heartbeat was answered with a commit below the floor, the metadata service itself is older than what the
/// node has seen: then no committed order is carried out at all.
#[derive(Debug)]
pub(super) struct CommitWatch {
    floor: u64,
    /// Newest commits seen in the last but one and in the last period.
    previous: u64,
    current: u64,
    rotated_at: Duration,
    /// The commit in the last answer to a heartbeat.
    heartbeat: Option<u64>,
}

impl CommitWatch {
    /// Starts from what the node remembers.
    pub(super) fn new(remembered: CommitSequence, now: Duration) -> Self {
        Self { floor: remembered.0, previous: 0, current: 0, rotated_at: now, heartbeat: None }
    }

    /// The newest commit seen ever.
    pub(super) fn newest(&self) -> CommitSequence {
        CommitSequence(self.floor.max(self.previous).max(self.current))
    }

    /// Orders of commits before this one are refused.
    pub(super) fn floor(&self) -> CommitSequence {
        CommitSequence(self.floor)
    }

    /// Notes the commit in an answer to a heartbeat. False if the metadata service is older than what was seen.
    pub(super) fn heartbeat(&mut self, commit: CommitSequence, now: Duration) -> bool {
        if now.saturating_sub(self.rotated_at) >= SETTLE_TIME {
            self.floor = self.floor.max(self.previous);
            self.previous = self.current;
            self.rotated_at = now;
        }
        self.current = self.current.max(commit.0);
        self.heartbeat = Some(commit.0);
        !self.is_behind()
    }

    fn is_behind(&self) -> bool {
        self.heartbeat.is_some_and(|commit| commit < self.floor)
    }

    /// Whether an order's proof covers what it names; if not, why.
    pub(super) fn check(&self, order: &DeleteOrder) -> Result<(), String> {
        match order.proof {
            DeleteProof::Committed(_) if self.is_behind() => Err(format!(
                "the metadata service is at commit {}, this node has seen {}: nothing is deleted until it has caught up",
                self.heartbeat.unwrap_or_default(),
                self.floor
            )),
            DeleteProof::Committed(commit) if commit.0 < self.floor => {
                Err(format!("the order is of commit {commit}, this node has seen {}", self.floor))
            }
            DeleteProof::Committed(_) => Ok(()),
            DeleteProof::Aborted(session) => check_session(order, session),
        }
    }
}

/// A gateway may only give up what it wrote itself, in the same session.
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

    fn order(proof: DeleteProof) -> DeleteOrder {
        DeleteOrder { proof, shards: vec![ShardId { extent: ExtentId::new(SessionId(4), 1), index: 0 }] }
    }

    fn committed(watch: &CommitWatch, commit: u64) -> bool {
        watch.check(&order(DeleteProof::Committed(CommitSequence(commit)))).is_ok()
    }

    #[test]
    fn what_was_seen_before_the_start_counts_at_once() {
        let watch = CommitWatch::new(CommitSequence(100), Duration::ZERO);
        assert!(!committed(&watch, 0) && !committed(&watch, 99) && committed(&watch, 100));
    }

    #[test]
    fn what_is_seen_now_counts_when_orders_under_way_have_arrived() {
        let at = Duration::from_secs;
        let mut watch = CommitWatch::new(CommitSequence(100), at(0));
        assert!(watch.heartbeat(CommitSequence(200), at(1)));
        assert!(committed(&watch, 150));
        for second in 2..100 {
            assert!(watch.heartbeat(CommitSequence(200), at(second)));
        }
        assert!(!committed(&watch, 199) && committed(&watch, 200));
        assert_eq!(watch.newest(), CommitSequence(200));
    }

    #[test]
    fn a_metadata_service_that_went_back_deletes_nothing() {
        let mut watch = CommitWatch::new(CommitSequence(100), Duration::ZERO);
        assert!(!watch.heartbeat(CommitSequence(3), Duration::from_secs(1)));
        assert!(!committed(&watch, 500));
        assert!(watch.heartbeat(CommitSequence(100), Duration::from_secs(2)));
        assert!(committed(&watch, 500));
    }

    #[test]
    fn a_session_gives_up_only_what_it_wrote() {
        let watch = CommitWatch::new(CommitSequence(100), Duration::ZERO);
        assert!(watch.check(&order(DeleteProof::Aborted(SessionId(4)))).is_ok());
        assert!(watch.check(&order(DeleteProof::Aborted(SessionId(5)))).is_err());
    }
}
