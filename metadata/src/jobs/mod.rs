//! The background jobs. Every member keeps its reserve, syncs its state, trims its log and helps to form the cluster. The leader ends the sessions of silent
//! gateways, keeps disk states in the map, maintains the membership, expires objects by lifecycle rules, and reclaims
//! space. Each job is a task of its own, so that none is blind while another waits for a disk. Each decision is a function;
//! here they are carried out.

mod disk_orders;
mod formation;
mod grace;
mod health;
mod job;
mod leases;
mod lifecycle;
mod liveness;
mod members;
mod reclaim;
mod reclaimer;
pub(crate) mod repair;
mod trim_log;

use std::sync::Arc;

use cairn_core::random::RandomSource;
use cairn_protocol::storage::StorageDirectory;
use tokio::sync::{Notify, watch};

use crate::directory::{Directory, StartError};
use crate::leader::{Leader, LeaderError};
use crate::options::Options;
use crate::raft::admission::Admission;
use formation::Formation;
use job::{Beat, Job};
use lifecycle::Lifecycle;
use liveness::Liveness;
use members::Membership;
use reclaim::Reclaim;
pub(crate) use trim_log::TrimLog;

/// The jobs before they run.
pub(crate) struct Jobs {
    options: Options,
    upkeep: Upkeep,
    admission: Arc<Admission>,
    storage: StorageDirectory,
}

/// What every member does, whether it leads or not.
struct Upkeep {
    formation: Formation,
    options: Options,
}

impl Job for Upkeep {
    const NAME: &'static str = "upkeep";
    const LEADS: bool = false;

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<bool, LeaderError> {
        leader.keep_room().await?;
        leader.sync_if_due().await?;
        if let Err(error) = self.formation.form(leader, &self.options).await {
            tracing::warn!(%error, "the cluster is not formed yet");
        }
        Ok(false)
    }
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
        let upkeep = Upkeep { formation, options: options.clone() };
        Self { options, upkeep, admission, storage }
    }

    /// Forms the cluster if this member leads and there is none, and records that there is one.
    pub(crate) async fn form(&mut self, leader: &Leader) -> Result<(), StartError> {
        self.upkeep.formation.form(leader, &self.options).await
    }

    /// Starts the jobs. They run until the member stops, or nobody has a handle of it any more.
    pub(crate) fn spawn(self, leader: &Arc<Leader>, trim: TrimLog, stop: watch::Receiver<bool>) {
        let Self { options, upkeep, admission, storage } = self;
        let beat = Beat { leader: Arc::downgrade(leader), every: options.tick, stop };
        let never = Arc::new(Notify::new());
        let liveness = Liveness { session_lease: options.session_lease, node_silence: options.node_silence };
        let membership = Membership { admission, own_addr: options.advertise.clone() };
        tokio::spawn(beat.clone().run(leader.wake(), liveness));
        tokio::spawn(beat.clone().run(Arc::clone(&never), upkeep));
        tokio::spawn(beat.clone().run(Arc::clone(&never), membership));
        tokio::spawn(beat.clone().run(Arc::clone(&never), trim));
        tokio::spawn(beat.clone().run(Arc::clone(&never), Lifecycle::new(&options)));
        tokio::spawn(beat.run(never, Reclaim::new(options.reclaim_grace, storage)));
    }
}
