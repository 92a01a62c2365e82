//! The leader's background jobs: it forms the cluster, ends the sessions of silent gateways, keeps disk states in the
//! map, expires objects by lifecycle rules, and reclaims space. Every member syncs its state. Each decision is a
//! function; here they are carried out.

mod formation;
mod grace;
mod health;
mod leases;
mod lifecycle;
mod members;
mod reclaimer;
pub(crate) mod repair;

use std::sync::{Arc, Weak};

use cairn_core::random::RandomSource;
use cairn_protocol::metadata::command::{EndSession, SetDiskStates};
use cairn_protocol::storage::StorageDirectory;
use tokio::sync::{Notify, watch};

use crate::directory::{Directory, StartError};
use crate::leader::{Leader, LeaderError};
use crate::options::Options;
use crate::raft::admission::Admission;
use crate::state::tables::sessions;
use formation::Formation;
use grace::GraceMarks;
use lifecycle::Lifecycle;
use reclaimer::Reclaimer;

/// Steps of the reclaimer in one tick: deleting leaves room for the other jobs.
const RECLAIM_STEPS_PER_TICK: usize = 64;
/// Steps of a lifecycle pass in one tick.
const LIFECYCLE_STEPS_PER_TICK: usize = 16;

/// The jobs' own state.
pub(crate) struct Jobs {
    options: Options,
    admission: Arc<Admission>,
    formation: Formation,
    marks: GraceMarks,
    reclaimer: Reclaimer,
    lifecycle: Lifecycle,
    /// The term whose lead the marks belong to.
    term: u64,
}

impl Jobs {
    pub(crate) fn new(
        options: Options,
        directory: Directory,
        admission: Arc<Admission>,
        random: Arc<dyn RandomSource>,
        storage: StorageDirectory,
    ) -> Self {
        let formation = Formation::new(directory, Arc::clone(&admission), random);
        let (marks, reclaimer) = (GraceMarks::new(options.reclaim_grace), Reclaimer::new(storage));
        let lifecycle = Lifecycle::new(&options);
        Self { options, admission, formation, marks, reclaimer, lifecycle, term: 0 }
    }

    /// Forms the cluster if this member leads and there is none, and records that there is one.
    pub(crate) async fn form(&mut self, leader: &Leader) -> Result<(), StartError> {
        self.formation.form(leader, &self.options).await
    }

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<(), LeaderError> {
        leader.sync_if_due().await?;
        if let Err(error) = self.form(leader).await {
            tracing::warn!(%error, "the cluster is not formed yet");
        }
        if !leader.leads() {
            return Ok(());
        }
        leader.begin_history().await?;
        members::maintain(leader, &self.admission, &self.options.advertise).await?;
        self.end_sessions(leader).await?;
        self.set_disk_states(leader).await?;
        self.reclaim(leader).await?;
        self.apply_lifecycle(leader).await
    }

    async fn apply_lifecycle(&mut self, leader: &Leader) -> Result<(), LeaderError> {
        for _ in 0..LIFECYCLE_STEPS_PER_TICK {
            if !self.lifecycle.tick(leader).await? {
                return Ok(());
            }
        }
        leader.wake_jobs();
        Ok(())
    }

    async fn end_sessions(&self, leader: &Leader) -> Result<(), LeaderError> {
        let open = sessions::all(&leader.view()?.sessions()?)?;
        let open: Vec<_> = open.into_iter().map(|(id, _)| id).collect();
        let now = leader.now();
        let expired = {
            let mut memory = leader.memory();
            memory.renewed.retain(|session, _| open.contains(session));
            leases::expired(&open, &memory, now, self.options.session_lease)
        };
        for session in expired {
            tracing::warn!(%session, "a gateway did not renew its session; ending the session");
            leader.execute(EndSession { session }.into()).await?;
        }
        Ok(())
    }

    async fn set_disk_states(&self, leader: &Leader) -> Result<(), LeaderError> {
        let Some(map) = leader.map() else { return Ok(()) };
        let states = health::changes(&map, &leader.memory(), leader.now(), self.options.node_silence);
        if states.is_empty() {
            return Ok(());
        }
        for (disk, state) in &states {
            tracing::info!(%disk, %state, "changing the state of a disk");
        }
        leader.execute(SetDiskStates { states }.into()).await.map(drop)
    }

    async fn reclaim(&mut self, leader: &Arc<Leader>) -> Result<(), LeaderError> {
        if leader.term() != self.term {
            self.term = leader.term();
            self.marks.reset();
        }
        if leader.is_held_back()? {
            return Ok(());
        }
        let Some(due) = self.marks.mark(leader.now(), leader.commit()) else { return Ok(()) };
        for _ in 0..RECLAIM_STEPS_PER_TICK {
            if !self.reclaimer.tick(leader, due).await? {
                return Ok(());
            }
        }
        // There is more: go on after the other jobs had their turn.
        leader.wake_jobs();
        Ok(())
    }
}

/// Runs the jobs until the member stops, or nobody has a handle of it any more.
pub(crate) async fn run(leader: Weak<Leader>, wake: Arc<Notify>, mut jobs: Jobs, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(jobs.options.tick);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = wake.notified() => {}
            _ = stop.changed() => return,
        }
        let Some(leader) = leader.upgrade() else { return };
        tokio::select! {
            done = jobs.tick(&leader) => if let Err(error) = done {
                tracing::warn!(%error, "a background job failed; retrying");
            },
            _ = stop.changed() => return,
        }
    }
}
