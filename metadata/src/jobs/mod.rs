//! What the leader does on its own: it forms the cluster, ends the sessions of silent gateways, keeps disk states in the
//! map, lets go of what lifecycle rules have ended, and reclaims space. Every member syncs its state. Each decision is a function; here they are carried out.

mod grace;
mod health;
mod leases;
mod lifecycle;
mod reclaimer;
pub(crate) mod repair;

use std::sync::{Arc, Weak};

use cairn_core::id::ClusterId;
use cairn_core::profile::Profile;
use cairn_core::random::RandomSource;
use cairn_protocol::metadata::command::{EndSession, SetDiskStates};
use cairn_protocol::rpc::MetadataFailure;
use cairn_protocol::storage::StorageDirectory;
use tokio::sync::{Notify, watch};

use crate::directory::{Directory, StartError};
use crate::leader::proposer;
use crate::options::Options;
use crate::raft::proposal::Change;
use crate::service::Inner;
use crate::state::commands::Bootstrap;
use crate::state::tables::members::Roll;
use crate::state::tables::sessions;
use cairn_core::id::MemberId;
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
    directory: Directory,
    random: Arc<dyn RandomSource>,
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
        random: Arc<dyn RandomSource>,
        storage: StorageDirectory,
    ) -> Self {
        let (marks, reclaimer) = (GraceMarks::new(options.reclaim_grace), Reclaimer::new(storage));
        let lifecycle = Lifecycle::new(&options);
        Self { options, directory, random, marks, reclaimer, lifecycle, term: 0 }
    }

    /// Proposes the first entry of a new cluster, and records that the cluster is formed once it is.
    pub(crate) async fn form(&mut self, inner: &Inner) -> Result<(), StartError> {
        if inner.machine.map().is_none() && inner.gate.leads() {
            let cluster = ClusterId::from_random(self.random.bytes16());
            let profiles = Profile::defaults(self.options.failure_domain);
            let founder = |(id, _): &(MemberId, String)| inner.admission.incarnation_of(*id).map(|name| (*id, name));
            let founders: Option<Vec<_>> = self.options.members.iter().map(founder).collect();
            let Some(members) = founders else {
                return Err(StartError::Raft("not all of its members have met".to_owned()));
            };
            let first = Change::Bootstrap(Bootstrap { cluster, profiles, roll: Some(Roll { members, life: None }) });
            let formed = proposer::change(&inner.raft, inner.clock.as_ref(), first).await;
            formed.map_err(|e| StartError::Raft(e.to_string()))?;
        }
        if let Some(map) = inner.machine.map() {
            self.directory.set_formed(map.cluster).map_err(|e| StartError::Raft(e.to_string()))?;
        }
        Ok(())
    }

    async fn tick(&mut self, inner: &Arc<Inner>) -> Result<(), MetadataFailure> {
        let machine = Arc::clone(&inner.machine);
        let synced = tokio::task::spawn_blocking(move || machine.sync_if_due()).await;
        let store = |e: &dyn std::fmt::Display| MetadataFailure::Store(e.to_string());
        synced.map_err(|e| store(&e))?.map_err(|e| store(&e))?;
        if let Err(error) = self.form(inner).await {
            tracing::warn!(%error, "the cluster is not formed yet");
        }
        if !inner.gate.leads() {
            return Ok(());
        }
        inner.begin_history().await?;
        inner.tend_members(&self.options.advertise).await?;
        self.end_sessions(inner).await?;
        self.set_disk_states(inner).await?;
        self.reclaim(inner).await?;
        self.end_lives(inner).await
    }

    async fn end_lives(&mut self, inner: &Arc<Inner>) -> Result<(), MetadataFailure> {
        for _ in 0..LIFECYCLE_STEPS_PER_TICK {
            if !self.lifecycle.tick(inner).await? {
                return Ok(());
            }
        }
        inner.wake.notify_one();
        Ok(())
    }

    async fn end_sessions(&self, inner: &Inner) -> Result<(), MetadataFailure> {
        let read = || sessions::all(&inner.machine.view()?.sessions()?);
        let open = read().map_err(|e| MetadataFailure::Store(e.to_string()))?;
        let open: Vec<_> = open.into_iter().map(|(id, _)| id).collect();
        let now = inner.clock.monotonic();
        let expired = {
            let mut memory = inner.memory.of(inner.gate.term(), now);
            memory.renewed.retain(|session, _| open.contains(session));
            leases::expired(&open, &memory, now, self.options.session_lease)
        };
        for session in expired {
            tracing::warn!(%session, "a gateway has not renewed its session: the session ends");
            inner.execute(EndSession { session }.into()).await?;
        }
        Ok(())
    }

    async fn set_disk_states(&self, inner: &Inner) -> Result<(), MetadataFailure> {
        let Some(map) = inner.machine.map() else { return Ok(()) };
        let now = inner.clock.monotonic();
        let states = {
            let memory = inner.memory.of(inner.gate.term(), now);
            health::changes(&map, &memory, now, self.options.node_silence)
        };
        if states.is_empty() {
            return Ok(());
        }
        for (disk, state) in &states {
            tracing::info!(%disk, %state, "a disk changes its state");
        }
        inner.execute(SetDiskStates { states }.into()).await.map(drop)
    }

    async fn reclaim(&mut self, inner: &Arc<Inner>) -> Result<(), MetadataFailure> {
        if inner.gate.term() != self.term {
            self.term = inner.gate.term();
            self.marks.reset();
        }
        if inner.is_held_back()? {
            return Ok(());
        }
        let Some(due) = self.marks.mark(inner.clock.monotonic(), inner.machine.commit()) else { return Ok(()) };
        for _ in 0..RECLAIM_STEPS_PER_TICK {
            if !self.reclaimer.tick(inner, due).await? {
                return Ok(());
            }
        }
        // There is more: go on after the other jobs had their turn.
        inner.wake.notify_one();
        Ok(())
    }
}

/// Runs the jobs until the member stops, or nobody has a handle of it any more.
pub(crate) async fn run(inner: Weak<Inner>, wake: Arc<Notify>, mut jobs: Jobs, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(jobs.options.tick);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = wake.notified() => {}
            _ = stop.changed() => return,
        }
        let Some(inner) = inner.upgrade() else { return };
        tokio::select! {
            done = jobs.tick(&inner) => if let Err(error) = done {
                tracing::warn!(%error, "a background job of the metadata service failed; it is tried again");
            },
            _ = stop.changed() => return,
        }
    }
}
