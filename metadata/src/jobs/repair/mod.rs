//! Repair: the leader's loop that finds what is wanting, orders it made anew, and brings disks back that were away.
//!
//! All decisions are [`cairn_core::repair`]'s. The loop looks through the tables ([`scan`]), hands what it finds to the
//! planner, carries tasks out ([`rebuild`]), and reconciles quarantined disks ([`reconcile`]). It keeps nothing that the
//! tables do not have: a leader that ends here leaves grants, which its successor ends, and nothing else. While there is
//! nothing to repair, extents that stand too close together are [`spread`], and then a [`rebalance`] has its turn.

mod inventory;
mod patience;
mod rebalance;
mod rebuild;
mod reconcile;
mod scan;
mod spread;
mod survey;
mod verify;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, DiskEvent, DiskState};
use cairn_core::id::{CommitSequence, DiskId, Epoch, ExtentId};
use cairn_core::repair::{Planner, Rates, Task};
use cairn_protocol::metadata::command::{ChangeDisks, EndRebuilds};
use cairn_protocol::metadata::query::RebalanceStatus;
use cairn_protocol::rpc::MetadataFailure;
use cairn_protocol::storage::StorageDirectory;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use crate::error::StoreError;
use crate::jobs::health;
use crate::leader::repair_status::{RepairStatus, Seen};
use crate::options::Options;
use crate::service::Inner;
use crate::state::tables::{self, rebuilds};
use patience::Patience;
use rebalance::Rebalance;
use rebuild::Ended;
use reconcile::{ReconcileError, Reconciled};
use scan::Cursor;
use spread::Spread;
pub(crate) use survey::{forecast, shares};

/// Time between two looks while tasks wait for their turn.
const BUSY_STEP: Duration = Duration::from_millis(20);
/// Disks that are reconciled at the same time.
const RECONCILING_MAX: usize = 8;
/// Rest of a disk after a reconciliation that failed.
const RECONCILE_REST: Duration = Duration::from_secs(2);
/// A pass that found nothing to do rests for so many times as long as it took, so that extents that cannot be helped do
/// not keep a core busy.
const REST_FACTOR: u32 = 10;

/// Steps of a pass in one tick: rebuilds that ended are noted in between.
const STEPS_PER_TICK: usize = 8;

/// The repair job of one lead.
struct Lead {
    term: u64,
    options: Options,
    storage: StorageDirectory,
    planner: Planner,
    rebuilds: JoinSet<Ended>,
    under_way: HashMap<Id, UnderWay>,
    spread: Spread,
    rebalance: Option<Rebalance>,
    reconciliations: JoinSet<Result<Reconciled, ReconcileError>>,
    reconciling: HashMap<Id, DiskId>,
    /// Until when a disk is left alone after a failed reconciliation.
    resting: HashMap<DiskId, Duration>,
    patience: Patience,
    /// Disks that are reconciled and wait for their change of state.
    reconciled: Vec<DiskId>,
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
    /// The rebalance that it is part of; nothing for a repair or a drain.
    rebalance: Option<CommitSequence>,
    abort: AbortHandle,
}

/// The pass over the tables.
struct Pass {
    cursor: Option<Cursor>,
    seen: Seen,
    found: bool,
    began: Duration,
    not_before: Duration,
}

impl Pass {
    fn new(now: Duration) -> Self {
        Self { cursor: Some(Cursor::START), seen: Seen::default(), found: false, began: now, not_before: now }
    }
}

/// Something under way that has ended.
enum Event {
    Rebuild(Result<(Id, Ended), JoinError>),
    Reconciliation(Result<(Id, Result<Reconciled, ReconcileError>), JoinError>),
}

/// Runs until the member stops, or nobody has a handle of it any more.
pub(crate) async fn run(
    inner: Weak<Inner>,
    options: Options,
    storage: StorageDirectory,
    mut stop: watch::Receiver<bool>,
) {
    let mut lead: Option<Lead> = None;
    loop {
        let wait = lead.as_ref().map_or(options.tick, Lead::wait);
        let event = tokio::select! {
            () = tokio::time::sleep(wait) => None,
            event = next_event(&mut lead) => Some(event),
            _ = stop.changed() => return,
        };
        let Some(inner) = inner.upgrade() else { return };
        if !inner.gate.leads() {
            // Rebuilds under way are dropped; the next leader ends their grants.
            lead = None;
            continue;
        }
        let (term, now) = (inner.gate.term(), inner.clock.monotonic());
        if lead.as_ref().is_none_or(|lead| lead.term != term) {
            lead = Some(Lead::new(term, options.clone(), storage.clone(), now));
            // What an earlier lead of this member has left there is out of date.
            inner.repair.set_rebalance(RebalanceStatus::default());
        }
        let Some(lead) = &mut lead else { continue };
        lead.note(event, now);
        let ticked = tokio::select! {
            ticked = lead.tick(&inner) => ticked,
            _ = stop.changed() => return,
        };
        if let Err(failure) = ticked {
            tracing::warn!(?failure, "repair stumbled; it goes on");
            tokio::time::sleep(options.tick).await;
        }
    }
}

/// Waits for the next thing under way to end; for ever if there is none.
async fn next_event(lead: &mut Option<Lead>) -> Event {
    let Some(lead) = lead else { return std::future::pending().await };
    tokio::select! {
        Some(ended) = lead.rebuilds.join_next_with_id() => Event::Rebuild(ended),
        Some(ended) = lead.reconciliations.join_next_with_id() => Event::Reconciliation(ended),
        else => std::future::pending().await,
    }
}

fn store(error: impl std::fmt::Display) -> MetadataFailure {
    MetadataFailure::Store(error.to_string())
}

impl Lead {
    fn new(term: u64, options: Options, storage: StorageDirectory, now: Duration) -> Self {
        Self {
            term,
            planner: Planner::new(options.repair, now),
            options,
            storage,
            rebuilds: JoinSet::new(),
            under_way: HashMap::new(),
            spread: Spread::new(now),
            rebalance: None,
            reconciliations: JoinSet::new(),
            reconciling: HashMap::new(),
            resting: HashMap::new(),
            patience: Patience::default(),
            reconciled: Vec::new(),
            epoch: Epoch(0),
            pass: Pass::new(now),
            grants_checked: None,
            verification: None,
            verification_begun: 0,
        }
    }

    fn wait(&self) -> Duration {
        let moves =
            self.rebalance.as_ref().is_some_and(|rebalance| rebalance.is_eager || rebalance.planner.waiting() > 0);
        if self.planner.waiting() > 0 || moves || self.spread.is_eager() {
            BUSY_STEP.min(self.options.tick)
        } else {
            self.options.tick
        }
    }

    fn note(&mut self, event: Option<Event>, now: Duration) {
        match event {
            None => {}
            Some(Event::Rebuild(ended)) => {
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
                        tracing::warn!(%extent, "a shard was not made anew: {why}; it is tried again");
                        planner.failed(extent, busy, now);
                    }
                }
            }
            Some(Event::Reconciliation(ended)) => {
                let (id, ended) = match ended {
                    Ok((id, ended)) => (id, ended),
                    Err(broken) => (broken.id(), Err(broken.into())),
                };
                let Some(disk) = self.reconciling.remove(&id) else { return };
                match ended {
                    Ok(found) => {
                        let Reconciled { good, missing, deleted, kept } = found;
                        tracing::info!(%disk, good, missing, deleted, kept, "a disk that was away is reconciled");
                        self.reconciled.push(disk);
                    }
                    Err(error) => {
                        tracing::warn!(%disk, %error, "a disk that was away is not reconciled; it is tried again");
                        self.resting.insert(disk, now + RECONCILE_REST);
                    }
                }
            }
        }
    }

    async fn tick(&mut self, inner: &Arc<Inner>) -> Result<(), MetadataFailure> {
        let Some(map) = inner.machine.map() else { return Ok(()) };
        let now = inner.clock.monotonic();
        let rates = self.options.repair.rates(&map, inner.clients.are_at_work(now));
        self.planner.pace_at(rates);
        self.end_stray_grants(inner, now).await?;
        self.give_up_the_long_away(inner, &map, now).await?;
        self.welcome_back(inner, &map, now).await?;
        if map.epoch != self.epoch {
            // Targets and sources may be others now.
            self.epoch = map.epoch;
            self.planner.forget_waiting();
            self.pass = Pass::new(now);
        }
        self.scan(inner, &map, now).await?;
        self.spread(inner, &map, now).await?;
        while let Some(task) = self.planner.next(now) {
            self.begin(inner, &map, task, None);
        }
        inner.repair.set(RepairStatus::of(&self.planner, self.patience.held_back(&map)));
        self.rebalance(inner, &map, rates, now).await?;
        self.verify(inner, &map);
        Ok(())
    }

    fn begin(&mut self, inner: &Arc<Inner>, map: &Arc<ClusterMap>, task: Task, rebalance: Option<CommitSequence>) {
        let extent = task.shard.extent;
        let rebuild = rebuild::run(Arc::clone(inner), self.storage.clone(), Arc::clone(map), task, rebalance);
        let abort = self.rebuilds.spawn(rebuild);
        self.under_way.insert(abort.id(), UnderWay { extent, rebalance, abort });
    }

    /// Whether the last pass over the tables found nothing that can be repaired.
    fn has_nothing_to_repair(&self) -> bool {
        self.pass.cursor.is_none() && !self.pass.found
    }

    /// Moves shards apart, while there is nothing to repair.
    async fn spread(&mut self, inner: &Inner, map: &Arc<ClusterMap>, now: Duration) -> Result<(), MetadataFailure> {
        self.spread.follow(map, now);
        if self.has_nothing_to_repair() && self.planner.has_capacity() {
            for task in self.spread.step(&inner.machine, map, (self.planner.is_idle(), now)).await? {
                self.planner.offer(task, now);
            }
        }
        Ok(())
    }

    /// Goes on with the rebalance that the tables say is under way, while there is nothing to repair.
    async fn rebalance(
        &mut self,
        inner: &Arc<Inner>,
        map: &Arc<ClusterMap>,
        rates: Rates,
        now: Duration,
    ) -> Result<(), MetadataFailure> {
        let read = || tables::rebalance::running(&inner.machine.view()?.meta()?);
        // Re-encoding is the gateways' work.
        let record = read().map_err(|e: StoreError| store(e))?.filter(|record| !record.reencodes);
        let id = record.as_ref().map(|record| record.id);
        if let Some(gone) = self.rebalance.take_if(|rebalance| Some(rebalance.id) != id) {
            // Their grants are ended like those of an earlier leader.
            let own = |task: &&UnderWay| task.rebalance == Some(gone.id);
            self.under_way.values().filter(own).for_each(|task| task.abort.abort());
            inner.repair.set_rebalance(RebalanceStatus {
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
            let (end, is_more) = rebalance.step(&inner.machine, map, now).await?;
            rebalance.is_eager = is_more;
            if let Some(end) = end {
                rebalance::end(inner, record.id, end).await?;
                break;
            }
            if !is_more {
                break;
            }
        }
        inner.repair.set_rebalance(rebalance.status());
        while let Some(task) = self.rebalance.as_mut().filter(|_| is_idle).and_then(|rebalance| rebalance.next(now)) {
            self.begin(inner, map, task, id);
        }
        Ok(())
    }

    /// Begins a verification that somebody asks for.
    fn verify(&mut self, inner: &Arc<Inner>, map: &Arc<ClusterMap>) {
        if let Some(number) = inner.repair.wanted_verification(self.verification_begun) {
            self.verification_begun = number;
            let mut task = JoinSet::new();
            task.spawn(verify::run_and_note(Arc::clone(inner), self.storage.clone(), Arc::clone(map)));
            // What was under way before belongs to an earlier lead and ends here.
            self.verification = Some(task);
        }
    }

    /// Ends grants that nobody here works on: those of an earlier leader, and those whose end was not heard.
    async fn end_stray_grants(&mut self, inner: &Inner, now: Duration) -> Result<(), MetadataFailure> {
        if self.grants_checked.is_some_and(|at| now.saturating_sub(at) < self.options.tick) {
            return Ok(());
        }
        let read = || rebuilds::all(&inner.machine.view()?.rebuilds()?);
        let running: HashSet<ExtentId> = self.under_way.values().map(|task| task.extent).collect();
        let all = read().map_err(|e: StoreError| store(e))?;
        let strays: Vec<_> = all.into_iter().filter(|rebuild| !running.contains(&rebuild.extent)).collect();
        if !strays.is_empty() {
            tracing::info!(rebuilds = strays.len(), "ending rebuilds that nobody works on");
            inner.execute(EndRebuilds { rebuilds: strays }.into()).await?;
        }
        self.grants_checked = Some(now);
        Ok(())
    }

    /// A disk that is away for the whole grace period is given up: its shards are made anew elsewhere.
    async fn give_up_the_long_away(
        &mut self,
        inner: &Inner,
        map: &ClusterMap,
        now: Duration,
    ) -> Result<(), MetadataFailure> {
        let over = {
            let memory = inner.memory.of(self.term, now);
            self.patience.look(map, &memory, now, (self.options.repair_grace, self.options.node_silence))
        };
        let mut changes = Vec::new();
        for disk in over.into_iter().filter_map(|id| map.disk_by_id(id)) {
            tracing::warn!(disk = %disk.number, path = disk.path, "a disk has been away for too long: it is given up");
            changes.push((disk.id, DiskEvent::GraceOver));
        }
        if changes.is_empty() {
            return Ok(());
        }
        inner.execute(ChangeDisks { changes, force: false }.into()).await.map(drop)
    }

    /// Reconciles quarantined disks, and takes those that are reconciled into service.
    async fn welcome_back(
        &mut self,
        inner: &Arc<Inner>,
        map: &ClusterMap,
        now: Duration,
    ) -> Result<(), MetadataFailure> {
        let seen: HashMap<DiskId, DiskState> = {
            let memory = inner.memory.of(self.term, now);
            let see = |disk| health::conclude(disk, &memory, now, self.options.node_silence);
            map.disks
                .iter()
                .filter(|d| d.state == DiskState::Quarantined)
                .filter_map(|d| Some((d.id, see(d)?)))
                .collect()
        };
        let serving = |id: &DiskId| seen.get(id).copied().filter(|state| state.serves());
        // A disk that went away again meanwhile has to be looked at anew.
        let back: Vec<_> = self.reconciled.drain(..).filter_map(|id| Some((id, serving(&id)?))).collect();
        let done: HashSet<DiskId> = back.iter().map(|(id, _)| *id).collect();
        if !back.is_empty() {
            let changes = back.into_iter().map(|(id, state)| (id, DiskEvent::Reconciled(state))).collect();
            inner.execute(ChangeDisks { changes, force: false }.into()).await?;
        }
        self.resting.retain(|_, until| *until > now);
        for disk in map.disks.iter().filter(|disk| serving(&disk.id).is_some() && !done.contains(&disk.id)) {
            let is_at_it = self.reconciling.values().any(|id| *id == disk.id) || self.resting.contains_key(&disk.id);
            let Some(node) = map.node(disk.node).filter(|_| !is_at_it) else { continue };
            if self.reconciling.len() >= RECONCILING_MAX {
                break;
            }
            let (inner, node, own) = (Arc::clone(inner), self.storage.node(node), disk.clone());
            let task = self.reconciliations.spawn(async move { reconcile::run(&inner, node, &own).await });
            self.reconciling.insert(task.id(), disk.id);
        }
        Ok(())
    }

    /// Looks through the tables: to the end of each pass, so that the most urgent is found wherever it stands, and on
    /// when the planner runs dry.
    async fn scan(&mut self, inner: &Inner, map: &Arc<ClusterMap>, now: Duration) -> Result<(), MetadataFailure> {
        for _ in 0..STEPS_PER_TICK {
            let Some(cursor) = self.pass.cursor else {
                if self.planner.has_capacity() && now >= self.pass.not_before {
                    self.pass = Pass::new(now);
                    continue;
                }
                return Ok(());
            };
            let (machine, own) = (Arc::clone(&inner.machine), Arc::clone(map));
            // The planner goes along, and comes back: nothing else of this lead runs meanwhile.
            let planner = std::mem::replace(&mut self.planner, Planner::new(self.options.repair, now));
            let looked = tokio::task::spawn_blocking(move || {
                let wants = |extent, spare| planner.wants(extent, spare, now);
                let step = machine.view().and_then(|view| scan::step(&view, &own, cursor, &wants));
                (planner, step)
            });
            let (planner, step) = looked.await.map_err(store)?;
            self.planner = planner;
            let step = step.map_err(|e: StoreError| store(e))?;
            self.pass.seen.add(step.seen);
            self.pass.cursor = step.next;
            self.pass.found |= !step.tasks.is_empty();
            for task in step.tasks {
                self.planner.offer(task, now);
            }
            if step.next.is_none() {
                let took = inner.clock.monotonic().saturating_sub(self.pass.began);
                let rest = if self.pass.found { Duration::ZERO } else { (took * REST_FACTOR).max(self.options.tick) };
                self.pass.not_before = now + rest;
                inner.repair.set_pending(self.pass.seen);
                return Ok(());
            }
        }
        Ok(())
    }
}
