//! The disks that come back: they are reconciled one by one, and then taken into service.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, DiskEvent, DiskState};
use cairn_core::id::DiskId;
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

/// The reconciliations of one lead.
pub(super) struct Returning {
    storage: StorageDirectory,
    /// Time without a heartbeat after which a node is silent.
    silence: Duration,
    running: JoinSet<Result<Reconciled, ReconcileError>>,
    disks: HashMap<Id, DiskId>,
    /// Until when a disk is left alone after a failed reconciliation.
    resting: HashMap<DiskId, Duration>,
    /// Disks that are reconciled and wait for their change of state.
    reconciled: Vec<DiskId>,
}

impl Returning {
    pub(super) fn new(storage: StorageDirectory, silence: Duration) -> Self {
        Self {
            storage,
            silence,
            running: JoinSet::new(),
            disks: HashMap::new(),
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
        let Some(disk) = self.disks.remove(&id) else { return };
        match ended {
            Ok(Reconciled { good, missing, deleted, kept }) => {
                tracing::info!(%disk, good, missing, deleted, kept, "reconciled a returning disk");
                self.reconciled.push(disk);
            }
            Err(error) => {
                tracing::warn!(%disk, %error, "cannot reconcile a returning disk; retrying");
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
        for disk in map.disks.iter().filter(|disk| serving(&disk.id).is_some() && !done.contains(&disk.id)) {
            let is_at_it = self.disks.values().any(|id| *id == disk.id) || self.resting.contains_key(&disk.id);
            let Some(node) = map.node(disk.node).filter(|_| !is_at_it) else { continue };
            if self.disks.len() >= RECONCILING_MAX {
                break;
            }
            let (leader, node, own) = (Arc::clone(leader), self.storage.node(node), disk.clone());
            let task = self.running.spawn(async move { reconcile::run(&leader, node, &own).await });
            self.disks.insert(task.id(), disk.id);
        }
        Ok(())
    }

    /// The quarantined disks of nodes that are heard of, with the states that these report.
    fn quarantined(&self, leader: &Leader, map: &ClusterMap, now: Duration) -> HashMap<DiskId, DiskState> {
        let memory = leader.memory();
        let see = |disk| health::conclude(disk, &memory, now, self.silence);
        let quarantined = map.disks.iter().filter(|disk| disk.state == DiskState::Quarantined);
        quarantined.filter_map(|disk| Some((disk.id, see(disk)?))).collect()
    }
}
