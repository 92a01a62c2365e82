//! Orders to delete shards, disk by disk. A disk that does not carry one out rests, and no other disk waits for it (I24).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, Disk, DiskState};
use cairn_core::id::DiskNumber;
use cairn_core::shard::ShardId;
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageDirectory};
use tokio::task::JoinSet;

/// How long a step waits for the disks that it gave orders to.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time for one disk to answer. Until then it gets no second order, so that each disk has at most one.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Rest of a disk after an order that it did not carry out: doubled each time, up to the longest.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_mins(10);

/// The orders of one lead.
pub(super) struct DiskOrders {
    storage: StorageDirectory,
    under_way: JoinSet<Answer>,
    rests: Rests,
}

/// A disk, and why it did not delete.
type Answer = (DiskNumber, Result<(), String>);

impl DiskOrders {
    pub(super) fn new(storage: StorageDirectory) -> Self {
        Self { storage, under_way: JoinSet::new(), rests: Rests::default() }
    }

    /// The disks that nothing is ordered from now: those that are away, and those that rest. What they hold waits.
    pub(super) fn unasked(&mut self, map: &ClusterMap, now: Duration) -> HashSet<DiskNumber> {
        self.note_late_answers(now);
        let is_unasked = |disk: &&Disk| disk.state != DiskState::Removed && !self.asks(disk, now);
        map.disks.iter().filter(is_unasked).map(|disk| disk.number).collect()
    }

    fn asks(&self, disk: &Disk, now: Duration) -> bool {
        disk.state.serves() && !self.rests.rests(disk, now)
    }

    /// Orders shards deleted; returns the disks that did not do so within the patience of a step.
    pub(super) async fn delete(
        &mut self,
        map: &ClusterMap,
        by_disk: HashMap<DiskNumber, Vec<ShardId>>,
        proof: DeleteProof,
        now: Duration,
    ) -> HashSet<DiskNumber> {
        let mut waiting = HashSet::new();
        for (number, shards) in by_disk {
            let disk = map.disk(number).filter(|disk| self.asks(disk, now));
            let Some((disk, node)) = disk.and_then(|disk| Some((disk, map.node(disk.node)?))) else { continue };
            let (node, id) = (self.storage.node(node), disk.id);
            waiting.insert(number);
            self.rests.ordered(disk);
            self.under_way.spawn(async move {
                let order = DeleteOrder { proof, shards };
                let answer = match tokio::time::timeout(ANSWER_LIMIT, node.delete_shards(id, order)).await {
                    Ok(answer) => answer.map_err(|error| error.to_string()),
                    Err(_) => Err(format!("disk {id}: no answer within {ANSWER_LIMIT:?}")),
                };
                (number, answer)
            });
        }
        let mut failed = HashSet::new();
        let answers = async {
            while !waiting.is_empty()
                && let Some(Ok(answer)) = self.under_way.join_next().await
            {
                waiting.remove(&answer.0);
                failed.extend(answer.1.is_err().then_some(answer.0));
                self.rests.note(answer, now);
            }
        };
        // Those that have not answered by then are under way, and noted later.
        let _ = tokio::time::timeout(PATIENCE, answers).await;
        failed.extend(waiting);
        failed
    }

    fn note_late_answers(&mut self, now: Duration) {
        while let Some(answered) = self.under_way.try_join_next() {
            if let Ok(answer) = answered {
                self.rests.note(answer, now);
            }
        }
    }
}

/// Which disks have an order under way, or rest.
#[derive(Debug, Default)]
struct Rests(HashMap<DiskNumber, Rest>);

#[derive(Debug)]
struct Rest {
    /// The disk's state when the order was given: once it is another, there is reason to ask again.
    state: DiskState,
    /// `None` while the order is under way.
    until: Option<Duration>,
    /// How long the last rest was.
    last: Duration,
}

impl Rests {
    fn note(&mut self, (disk, answer): Answer, now: Duration) {
        match answer {
            Ok(()) => self.carried_out(disk),
            Err(error) => {
                let rest = self.failed(disk, now);
                tracing::warn!(%disk, %error, "a disk did not delete shards; it is asked again in {rest:?}, or once its state changes");
            }
        }
    }

    fn rests(&self, disk: &Disk, now: Duration) -> bool {
        let Some(rest) = self.0.get(&disk.number) else { return false };
        rest.until.is_none_or(|until| now < until && disk.state == rest.state)
    }

    fn ordered(&mut self, disk: &Disk) {
        let last = self.0.get(&disk.number).filter(|rest| rest.state == disk.state);
        let last = last.map_or(Duration::ZERO, |rest| rest.last);
        self.0.insert(disk.number, Rest { state: disk.state, until: None, last });
    }

    fn carried_out(&mut self, disk: DiskNumber) {
        self.0.remove(&disk);
    }

    /// Returns how long the disk rests.
    fn failed(&mut self, disk: DiskNumber, now: Duration) -> Duration {
        let Some(rest) = self.0.get_mut(&disk) else { return Duration::ZERO };
        rest.last = (rest.last * 2).clamp(REST_MIN, REST_MAX);
        rest.until = Some(now + rest.last);
        rest.last
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::Standing;
    use cairn_core::id::{DiskId, NodeId};

    use super::*;

    fn disk(state: DiskState) -> Disk {
        Disk {
            number: DiskNumber(1),
            id: DiskId::from_bytes([1; 16]),
            node: NodeId::from_bytes([1; 16]),
            path: String::new(),
            capacity_bytes: 1,
            state,
            standing: Standing::Member,
        }
    }

    #[test]
    fn a_disk_that_refuses_is_asked_ever_more_rarely_until_its_state_changes() {
        let (suspect, mut rests, mut now) = (disk(DiskState::Suspect), Rests::default(), Duration::ZERO);
        let mut orders = 0;
        while now < Duration::from_hours(2) {
            if !rests.rests(&suspect, now) {
                orders += 1;
                rests.ordered(&suspect);
                assert!(rests.rests(&suspect, now), "one order at a time");
                rests.failed(suspect.number, now);
            }
            now += Duration::from_millis(500);
        }
        assert!((20..25).contains(&orders), "ten in the first ten minutes, then one each ten: {orders}");
        assert!(rests.rests(&suspect, now) || orders > 0);
        let active = disk(DiskState::Active);
        assert!(!rests.rests(&active, now), "it was restarted, or replaced");
        rests.ordered(&active);
        assert_eq!(rests.failed(active.number, now), REST_MIN, "and begins anew");
        rests.ordered(&active);
        rests.carried_out(active.number);
        assert!(!rests.rests(&active, now));
    }
}
