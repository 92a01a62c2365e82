//! The repair job of one term: its running tasks, and what a tick does.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, DiskEvent};
use cairn_core::id::{CommitSequence, Epoch, ExtentId};
use cairn_core::repair::{Planner, Rates, Task};
use cairn_protocol::metadata::command::{ChangeDisks, EndRebuilds};
use cairn_protocol::metadata::query::RebalanceStatus;
use cairn_protocol::storage::StorageDirectory;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::pass::{Pass, STEPS_PER_TICK};
use super::patience::{AwayLimits, Patience};
use super::rebalance::{self, Rebalance};
use super::rebuild::{self, Ended};
use super::returning::{self, Returning};
use super::spread::Spread;
use super::verify;
use crate::leader::{Leader, LeaderError, RepairStatus};
use crate::options::Options;
use crate::raft::proposal::Change;
use crate::state::tables::absences::Absences;
use crate::state::tables::{self, rebuilds};

/// Time between two looks while tasks wait for their turn.
const BUSY_STEP: Duration = Duration::from_millis(20);

/// The repair job of one lead.
pub(super) struct Lead {
    pub(super) term: u64,
    options: Options,
    storage: StorageDirectory,
    planner: Planner,
    rebuilds: JoinSet<Ended>,
    under_way: HashMap<Id, UnderWay>,
    spread: Spread,
    rebalance: Option<Rebalance>,
    returning: Returning,
    patience: Patience,
    epoch: Epoch,
    pass: Pass,
    grants_checked: Option<Duration>,
    verification: Option<JoinSet<()>>,
    /// The number of the last verification that was begun here.
    verification_begun: u64,
}

/// A rebuild under way.
struct UnderWay {
    extent: ExtentId,
    /// The rebalance that it belongs to; `None` for a repair or a drain.
    rebalance: Option<CommitSequence>,
    abort: AbortHandle,
}

/// Something under way that has ended.
pub(super) enum Event {
    Rebuild(Result<(Id, Ended), JoinError>),
    Reconciliation(returning::Ended),
}

/// Waits for the next thing under way to end; for ever if there is none.
pub(super) async fn next_event(lead: &mut Option<Lead>) -> Event {
    let Some(lead) = lead else { return std::future::pending().await };
    tokio::select! {
        Some(ended) = lead.rebuilds.join_next_with_id() => Event::Rebuild(ended),
        Some(ended) = lead.returning.join_next() => Event::Reconciliation(ended),
        else => std::future::pending().await,
    }
}

impl Lead {
    pub(super) fn new(
        term: u64,
        options: Options,
        storage: StorageDirectory,
        absences: &Absences,
        now: Duration,
    ) -> Self {
        Self {
            term,
            planner: Planner::new(options.repair, now),
            returning: Returning::new(storage.clone(), options.node_silence, options.comparison_period, now),
            options,
            storage,
            rebuilds: JoinSet::new(),
            under_way: HashMap::new(),
            spread: Spread::new(now),
            rebalance: None,
            patience: Patience::resume(absences),
            epoch: Epoch(0),
            pass: Pass::new(now),
            grants_checked: None,
            verification: None,
            verification_begun: 0,
        }
    }

    pub(super) fn wait(&self) -> Duration {
        let moves =
            self.rebalance.as_ref().is_some_and(|rebalance| rebalance.is_eager || rebalance.planner.waiting() > 0);
        if self.planner.waiting() > 0 || moves || self.spread.is_eager() {
            BUSY_STEP.min(self.options.tick)
        } else {
            self.options.tick
        }
    }

    pub(super) fn note(&mut self, event: Option<Event>, now: Duration) {
        match event {
            None => {}
            Some(Event::Rebuild(ended)) => self.note_rebuild(ended, now),
            Some(Event::Reconciliation(ended)) => self.returning.note(ended, now),
        }
    }

    fn note_rebuild(&mut self, ended: Result<(Id, Ended), JoinError>, now: Duration) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(broken) => (broken.id(), Ended::Failed { busy: false, why: broken.to_string() }),
        };
        let Some(UnderWay { extent, rebalance, .. }) = self.under_way.remove(&id) else { return };
        let planner = match (rebalance, &mut self.rebalance) {
            (None, _) => &mut self.planner,
            (Some(id), Some(rebalance)) if rebalance.id == id => &mut rebalance.planner,
            // It belonged to a rebalance that has ended.
            _ => return,
        };
        match ended {
            Ended::Published => planner.done(extent),
            Ended::Dropped => planner.dropped(extent),
            Ended::Failed { busy, why } => {
                tracing::warn!(%extent, "rebuilding a shard failed: {why}; retrying");
                planner.failed(extent, busy, now);
            }
        }
    }

    pub(super) async fn tick(&mut self, leader: &Arc<Leader>) -> Result<(), LeaderError> {
        let Some(map) = leader.map() else { return Ok(()) };
        let now = leader.now();
        let rates = self.options.repair.rates(&map, leader.are_clients_at_work());
        self.planner.pace_at(rates);
        self.end_stray_grants(leader, now).await?;
        self.fail_expired_disks(leader, &map, now).await?;
        self.returning.reconcile_returned(leader, &map, now).await?;
        if map.epoch != self.epoch {
            // Targets and sources may be others now.
            self.epoch = map.epoch;
            self.planner.forget_waiting();
            self.pass = Pass::new(now);
        }
        self.pass.scan(leader, &map, &mut self.planner, &self.options, now).await?;
        self.spread(leader, &map, now).await?;
        while let Some(task) = self.planner.next(now) {
            self.begin(leader, &map, task, None);
        }
        leader.repair().set(RepairStatus::of(&self.planner, self.patience.held_back(&map)));
        self.rebalance(leader, &map, rates, now).await?;
        self.verify(leader, &map);
        Ok(())
    }

    fn begin(&mut self, leader: &Arc<Leader>, map: &Arc<ClusterMap>, task: Task, rebalance: Option<CommitSequence>) {
        let extent = task.shard.extent;
        let time_max = self.options.repair.rebuild_time_max;
        let rebuild =
            rebuild::run(Arc::clone(leader), self.storage.clone(), Arc::clone(map), task, rebalance, time_max);
        let abort = self.rebuilds.spawn(rebuild);
        self.under_way.insert(abort.id(), UnderWay { extent, rebalance, abort });
    }

    /// Whether the last pass over the tables found no repairable extent.
    fn has_nothing_to_repair(&self) -> bool {
        self.pass.found_nothing()
    }

    /// Moves shards apart, while there is nothing to repair.
    async fn spread(&mut self, leader: &Leader, map: &Arc<ClusterMap>, now: Duration) -> Result<(), LeaderError> {
        self.spread.follow(map, now);
        if self.has_nothing_to_repair() && self.planner.has_capacity() {
            for task in self.spread.step(leader, map, self.planner.is_idle(), now).await? {
                self.planner.offer(task, now);
            }
        }
        Ok(())
    }

    /// Continues the rebalance recorded in the tables, while there is nothing to repair.
    async fn rebalance(
        &mut self,
        leader: &Arc<Leader>,
        map: &Arc<ClusterMap>,
        rates: Rates,
        now: Duration,
    ) -> Result<(), LeaderError> {
        // Re-encoding is the gateways' work.
        let record = leader.read(|view| tables::rebalance::running(&view.meta()?)).await?;
        let record = record.filter(|record| !record.reencodes);
        let id = record.as_ref().map(|record| record.id);
        if let Some(gone) = self.rebalance.take_if(|rebalance| Some(rebalance.id) != id) {
            // Their grants are ended like those of an earlier leader.
            let own = |task: &&UnderWay| task.rebalance == Some(gone.id);
            self.under_way.values().filter(own).for_each(|task| task.abort.abort());
            leader.repair().set_rebalance(RebalanceStatus {
                is_waiting: false,
                left_bytes: 0,
                running: 0,
                ..gone.status()
            });
        }
        let Some(record) = record else { return Ok(()) };
        let is_idle = self.has_nothing_to_repair() && self.planner.is_idle() && self.spread.is_settled();
        let rebalance = self.rebalance.get_or_insert_with(|| Rebalance::new(&record, self.options.repair, now));
        rebalance.follow(&record, rates, map);
        rebalance.wait(!is_idle);
        rebalance.is_eager = false;
        for _ in 0..if is_idle { STEPS_PER_TICK } else { 0 } {
            let (end, is_more) = rebalance.step(leader, map, now).await?;
            rebalance.is_eager = is_more;
            if let Some(end) = end {
                rebalance::end(leader, record.id, end).await?;
                break;
            }
            if !is_more {
                break;
            }
        }
        leader.repair().set_rebalance(rebalance.status());
        while let Some(task) = self.rebalance.as_mut().filter(|_| is_idle).and_then(|rebalance| rebalance.next(now)) {
            self.begin(leader, map, task, id);
        }
        Ok(())
    }

    /// Begins a verification that somebody asks for.
    fn verify(&mut self, leader: &Arc<Leader>, map: &Arc<ClusterMap>) {
        if let Some(number) = leader.repair().wanted_verification(self.verification_begun) {
            self.verification_begun = number;
            let mut task = JoinSet::new();
            task.spawn(verify::run_and_note(Arc::clone(leader), self.storage.clone(), Arc::clone(map)));
            // Rebuilds of an earlier term end here.
            self.verification = Some(task);
        }
    }

    /// Ends grants that nobody here works on: those of an earlier leader, and those whose end was not heard.
    async fn end_stray_grants(&mut self, leader: &Leader, now: Duration) -> Result<(), LeaderError> {
        if self.grants_checked.is_some_and(|at| now.saturating_sub(at) < self.options.tick) {
            return Ok(());
        }
        let running: HashSet<ExtentId> = self.under_way.values().map(|task| task.extent).collect();
        let all = leader.read(|view| rebuilds::all(&view.rebuilds()?)).await?;
        let strays: Vec<_> = all.into_iter().filter(|rebuild| !running.contains(&rebuild.extent)).collect();
        if !strays.is_empty() {
            tracing::info!(rebuilds = strays.len(), "ending rebuilds of an earlier term");
            leader.execute(EndRebuilds { rebuilds: strays }.into()).await?;
        }
        self.grants_checked = Some(now);
        Ok(())
    }

    /// A disk that is away for the whole grace period is failed: its shards are rebuilt elsewhere.
    async fn fail_expired_disks(
        &mut self,
        leader: &Leader,
        map: &ClusterMap,
        now: Duration,
    ) -> Result<(), LeaderError> {
        let over = {
            let limits = AwayLimits { grace: self.options.repair_grace, silence: self.options.node_silence };
            self.patience.look(map, &leader.memory(), now, limits)
        };
        if let Some(absences) = self.patience.to_note(now, self.options.repair_grace) {
            leader.change(Change::NoteAbsences(absences.clone())).await?;
            self.patience.noted(&absences);
        }
        let mut changes = Vec::new();
        for disk in over.into_iter().filter_map(|id| map.disk_by_id(id)) {
            tracing::warn!(disk = %disk.number, path = disk.path, "a disk has been absent for too long; its shards are rebuilt elsewhere");
            changes.push((disk.id, DiskEvent::GraceOver));
        }
        if changes.is_empty() {
            return Ok(());
        }
        leader.execute(ChangeDisks { changes, force: false }.into()).await.map(drop)
    }
}
