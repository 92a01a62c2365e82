//! Which disks are compared with metadata, both ways, while the service runs: those that come back, before they are taken into
//! service; those that doubt what they have; and all the others in turn, because what nobody reads is missed by nobody.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, Disk, DiskEvent, DiskState};
use cairn_core::id::{DiskId, DiskNumber};
use cairn_protocol::metadata::command::ChangeDisks;
use cairn_protocol::storage::StorageDirectory;
use tokio::task::{Id, JoinError, JoinSet};

use super::reconcile::{self, ReconcileError, Reconciled};
use crate::jobs::health;
use crate::leader::{Leader, LeaderError};

/// Disks that are reconciled at the same time.
const RECONCILING_MAX: usize = 8;
/// Rest of a disk after a reconciliation that failed.
const RECONCILE_REST: Duration = Duration::from_secs(2);

/// A reconciliation that has ended.
pub(super) type Ended = Result<(Id, Result<Reconciled, ReconcileError>), JoinError>;

/// A disk that is being reconciled.
struct UnderWay {
    disk: DiskId,
    /// It was away, and waits to be taken into service.
    is_returning: bool,
}

/// The reconciliations of one lead.
pub(super) struct Returning {
    storage: StorageDirectory,
    /// Time without a heartbeat after which a node is silent.
    silence: Duration,
    running: JoinSet<Result<Reconciled, ReconcileError>>,
    under_way: HashMap<Id, UnderWay>,
    turns: Turns,
    /// Until when a disk is left alone after a failed reconciliation.
    resting: HashMap<DiskId, Duration>,
    /// Disks that are reconciled and wait for their change of state.
    reconciled: Vec<DiskId>,
}

impl Returning {
    /// Every disk has its turn within `period`.
    pub(super) fn new(storage: StorageDirectory, silence: Duration, period: Duration, now: Duration) -> Self {
        Self {
            storage,
            silence,
            running: JoinSet::new(),
            under_way: HashMap::new(),
            turns: Turns { period, last: None, last_at: now },
            resting: HashMap::new(),
            reconciled: Vec::new(),
        }
    }

    /// The next reconciliation to end; `None` if there is none.
    pub(super) async fn join_next(&mut self) -> Option<Ended> {
        self.running.join_next_with_id().await
    }

    /// Takes note of a reconciliation that has ended.
    pub(super) fn note(&mut self, ended: Ended, now: Duration) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(broken) => (broken.id(), Err(broken.into())),
        };
        let Some(UnderWay { disk, is_returning }) = self.under_way.remove(&id) else { return };
        match ended {
            Ok(Reconciled { good, missing, deleted, kept }) => {
                tracing::info!(%disk, is_returning, good, missing, deleted, kept, "compared a disk with metadata");
                self.reconciled.extend(is_returning.then_some(disk));
            }
            Err(error) => {
                tracing::warn!(%disk, is_returning, %error, "cannot compare a disk with metadata; retrying");
                self.resting.insert(disk, now + RECONCILE_REST);
            }
        }
    }

    /// Takes disks that are reconciled into service, and begins to reconcile others that are quarantined.
    pub(super) async fn reconcile_returned(
        &mut self,
        leader: &Arc<Leader>,
        map: &ClusterMap,
        now: Duration,
    ) -> Result<(), LeaderError> {
        let seen = self.quarantined(leader, map, now);
        let serving = |id: &DiskId| seen.get(id).copied().filter(|state| state.serves());
        // A disk that went away again meanwhile has to be reconciled again.
        let back: Vec<_> = self.reconciled.drain(..).filter_map(|id| Some((id, serving(&id)?))).collect();
        let done: HashSet<DiskId> = back.iter().map(|(id, _)| *id).collect();
        if !back.is_empty() {
            let changes = back.into_iter().map(|(id, state)| (id, DiskEvent::Reconciled(state))).collect();
            leader.execute(ChangeDisks { changes, force: false }.into()).await?;
        }
        self.resting.retain(|_, until| *until > now);
        let doubts = leader.memory().doubts();
        let turn = self.turns.next(map, now).filter(|_| self.under_way.is_empty());
        for disk in map.disks.iter().filter(|disk| !done.contains(&disk.id)) {
            let is_returning = serving(&disk.id).is_some();
            let is_due = doubts.contains_key(&disk.id) || turn == Some(disk.number);
            let is_wanted = is_returning || (is_due && disk.state.serves() && disk.state != DiskState::Quarantined);
            if self.under_way.len() >= RECONCILING_MAX {
                break;
            }
            if is_wanted {
                self.begin(leader, map, disk, doubts.get(&disk.id).copied(), is_returning);
            }
            if turn == Some(disk.number) {
                self.turns.had(disk.number, now);
            }
        }
        Ok(())
    }

    /// Begins to compare a disk, unless that is under way or has just failed.
    fn begin(&mut self, leader: &Arc<Leader>, map: &ClusterMap, disk: &Disk, doubt: Option<u64>, is_returning: bool) {
        let is_at_it = self.under_way.values().any(|one| one.disk == disk.id) || self.resting.contains_key(&disk.id);
        let Some(node) = map.node(disk.node).filter(|_| !is_at_it) else { return };
        let (leader, node, own) = (Arc::clone(leader), self.storage.node(node), disk.clone());
        let task = self.running.spawn(async move { reconcile::run(&leader, node, &own, doubt).await });
        self.under_way.insert(task.id(), UnderWay { disk: disk.id, is_returning });
    }

    /// The quarantined disks of nodes that are heard of, with the states that these report.
    fn quarantined(&self, leader: &Leader, map: &ClusterMap, now: Duration) -> HashMap<DiskId, DiskState> {
        let memory = leader.memory();
        let see = |disk| health::conclude(disk, &memory, now, self.silence);
        let quarantined = map.disks.iter().filter(|disk| disk.state == DiskState::Quarantined);
        quarantined.filter_map(|disk| Some((disk.id, see(disk)?))).collect()
    }
}

/// Gives each disk its turn to be compared, one after the other.
struct Turns {
    /// Time in which all have had theirs.
    period: Duration,
    last: Option<DiskNumber>,
    last_at: Duration,
}

impl Turns {
    /// The disk whose turn it is now.
    fn next(&self, map: &ClusterMap, now: Duration) -> Option<DiskNumber> {
        let serving = || map.disks.iter().filter(|disk| disk.state.serves()).map(|disk| disk.number);
        let spacing = self.period / u32::try_from(serving().count()).unwrap_or(u32::MAX).max(1);
        let later = serving().filter(|number| Some(*number) > self.last).min();
        later.or_else(|| serving().min()).filter(|_| now.saturating_sub(self.last_at) >= spacing)
    }

    fn had(&mut self, disk: DiskNumber, now: Duration) {
        (self.last, self.last_at) = (Some(disk), now);
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::Standing;
    use cairn_core::id::{ClusterId, NodeId};

    use super::*;

    #[test]
    fn every_disk_that_serves_has_its_turn_within_the_period() {
        let mut map = ClusterMap::empty(ClusterId::from_random([1; 16]), Vec::new());
        let disk = |n: u8| Disk {
            number: DiskNumber(u32::from(n)),
            id: DiskId::from_random([n; 16]),
            node: NodeId::from_random([1; 16]),
            path: String::new(),
            capacity_bytes: 1,
            state: if n == 3 { DiskState::Unavailable } else { DiskState::Active },
            standing: Standing::Member,
        };
        map.disks = (1..=5).map(disk).collect();
        let mut turns = Turns { period: Duration::from_secs(40), last: None, last_at: Duration::ZERO };
        let mut had = Vec::new();
        for second in 0..=80 {
            if let Some(number) = turns.next(&map, Duration::from_secs(second)) {
                turns.had(number, Duration::from_secs(second));
                had.push((second, number.0));
            }
        }
        assert_eq!(had, [(10, 1), (20, 2), (30, 4), (40, 5), (50, 1), (60, 2), (70, 4), (80, 5)]);
    }
}
