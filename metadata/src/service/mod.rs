//! A member of the metadata service: how it starts, what it takes, and how it stops.

mod handle;
mod http;
pub(crate) mod leader;
pub(crate) mod proposer;
mod read_gate;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;
use cairn_protocol::rpc::RpcClient;
use cairn_protocol::storage::StorageDirectory;
use openraft::error::{InitializeError, RaftError};
use openraft::{BasicNode, Config, SnapshotPolicy};
use tokio::sync::{Notify, watch};

pub use handle::Handle;
pub(crate) use handle::Inner;
pub use http::router;

use crate::directory::{Directory, StartError};
use crate::jobs::repair::{self, StatusCell};
use crate::jobs::{self, Jobs};
use crate::options::Options;
use crate::raft::Raft;
use crate::raft::network::Network;
use leader::LeaderMemory;
use proposer::Proposer;
use read_gate::ReadGate;

/// Times of Raft, in milliseconds: a heartbeat must fit into the election timeout several times.
const HEARTBEAT_MS: u64 = 250;
const ELECTION_MS_MIN: u64 = 1000;
const ELECTION_MS_MAX: u64 = 2000;
/// Entries kept in the log behind a snapshot, for followers that are a little late.
const ENTRIES_KEPT: u64 = 1000;
/// Entries purged at a time.
const PURGE_BATCH: u64 = 256;
/// Time for a single member to become ready.
const READY_LIMIT: Duration = Duration::from_mins(1);
const READY_STEP: Duration = Duration::from_millis(2);

/// What a member needs from outside.
pub struct Dependencies {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the id of a new cluster.
    pub random: Arc<dyn RandomSource>,
    /// The storage nodes, for deleting what was let go of.
    pub storage: StorageDirectory,
    /// Calls to the other members.
    pub rpc: RpcClient,
}

/// The metadata service.
pub struct MetadataService;

impl MetadataService {
    /// Opens the directory, or forms a new cluster in an empty one. A single member is ready when this returns; one of
    /// several becomes ready once a majority has met.
    pub async fn start(options: Options, dependencies: Dependencies) -> Result<Handle, StartError> {
        let Dependencies { clock, random, storage, rpc } = dependencies;
        let opening = (options.clone(), Arc::clone(&clock));
        let directory = tokio::task::spawn_blocking(move || Directory::open(&opening.0, opening.1))
            .await
            .map_err(|e| StartError::Raft(e.to_string()))??;
        let (machine, log) = (Arc::clone(&directory.machine), directory.log.clone());
        let (log_open, at_start) = (log.open_token(), log.end());
        let network = Network::new(rpc.clone());
        let raft = Raft::new(options.member_id, config(&options)?, network, log, Arc::clone(&machine))
            .await
            .map_err(|e| StartError::Raft(e.to_string()))?;
        form(&raft, &options).await?;
        let (stop, stopped) = watch::channel(false);
        let inner = Arc::new(Inner {
            proposer: Proposer::spawn(raft.clone(), Arc::clone(&clock)),
            gate: ReadGate::spawn(raft.clone(), Arc::clone(&machine), at_start),
            memory: LeaderMemory::default(),
            wake: Arc::new(Notify::new()),
            raft,
            machine,
            clock,
            rpc,
            stop,
            repair: StatusCell::default(),
            log_open,
        });
        let repair = repair::run(Arc::downgrade(&inner), options.clone(), storage.clone(), stopped.clone());
        let sole = options.members.len() <= 1;
        let mut jobs = Jobs::new(options, directory, random, storage);
        if sole {
            wait_until_ready(&inner, &mut jobs).await?;
        }
        tokio::spawn(repair);
        tokio::spawn(jobs::run(Arc::downgrade(&inner), Arc::clone(&inner.wake), jobs, stopped));
        Ok(Handle { inner })
    }
}

fn config(options: &Options) -> Result<Arc<Config>, StartError> {
    let config = Config {
        cluster_name: "cairn".to_owned(),
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min: ELECTION_MS_MIN,
        election_timeout_max: ELECTION_MS_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(options.snapshot_entries),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT.min(options.snapshot_entries),
        replication_lag_threshold: options.snapshot_entries.saturating_mul(2),
        purge_batch_size: PURGE_BATCH,
        ..Config::default()
    };
    Ok(Arc::new(config.validate().map_err(|e| StartError::Raft(e.to_string()))?))
}

/// Gives a new member its first membership; all members of a new cluster are given the same.
async fn form(raft: &Raft, options: &Options) -> Result<(), StartError> {
    let failed = |e: &dyn std::fmt::Display| StartError::Raft(e.to_string());
    if raft.is_initialized().await.map_err(|e| failed(&e))? {
        if options.members.len() <= 1 {
            // Nobody else can lead: there is no election timeout to wait for.
            raft.trigger().elect().await.map_err(|e| failed(&e))?;
        }
        return Ok(());
    }
    let members: BTreeMap<_, _> = options.members.iter().map(|(id, addr)| (*id, BasicNode::new(addr))).collect();
    match raft.initialize(members).await {
        // Another member was faster: it has sent this one the same membership.
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(failed(&error)),
    }
}

/// Waits until a single member leads and its cluster is formed.
async fn wait_until_ready(inner: &Arc<Inner>, jobs: &mut Jobs) -> Result<(), StartError> {
    let ready = async {
        loop {
            if inner.gate.leads() {
                jobs.form(inner).await?;
                if inner.machine.map().is_some() {
                    return Ok(());
                }
            }
            if let Err(fatal) = inner.raft.metrics().borrow().running_state.clone() {
                return Err(StartError::Raft(fatal.to_string()));
            }
            tokio::time::sleep(READY_STEP).await;
        }
    };
    let late = |_| StartError::Raft(format!("not ready after {READY_LIMIT:?}"));
    tokio::time::timeout(READY_LIMIT, ready).await.map_err(late)?
}
