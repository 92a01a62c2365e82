//! A member of the metadata service: how it starts, what it takes, and how it stops.

mod handle;
mod http;
mod meeting;
mod members;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;
use cairn_protocol::rpc::{ClientId, HttpMetadata, RpcClient};
use cairn_protocol::storage::StorageDirectory;
use openraft::{Config, SnapshotPolicy};
use tokio::sync::{Notify, watch};

pub use handle::Handle;
pub(crate) use handle::Inner;
pub use http::router;

use crate::directory::{Directory, StartError};
use crate::jobs::repair;
use crate::jobs::{self, Jobs};
use crate::leader::client_watch::ClientWatch;
use crate::leader::memory::LeaderMemory;
use crate::leader::proposer::Proposer;
use crate::leader::read_gate::ReadGate;
use crate::leader::repair_status::StatusCell;
use crate::options::Options;
use crate::raft::Raft;
use crate::raft::admission::{Admission, Me};
use crate::raft::network::Network;

/// Times of Raft, in milliseconds: a heartbeat must fit into the election timeout. A leader that is gone is missed after
/// the longest timeout, and another one elected after a random one beyond that: 1.2 to 1.4 seconds together.
const HEARTBEAT_MS: u64 = 200;
const ELECTION_MS_MIN: u64 = 450;
const ELECTION_MS_MAX: u64 = 700;
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
        let opening = (options.clone(), Arc::clone(&clock), ClientId::draw(random.as_ref()));
        let directory = tokio::task::spawn_blocking(move || Directory::open(&opening.0, opening.1, opening.2))
            .await
            .map_err(|e| StartError::Raft(e.to_string()))??;
        let (machine, log) = (Arc::clone(&directory.machine), directory.log.clone());
        let (log_open, at_start) = (log.open_token(), log.end());
        let admission = Arc::new(Admission::new(Me {
            member: options.member_id,
            incarnation: directory.incarnation(),
            boot: ClientId::draw(random.as_ref()),
            founders: options.members.iter().map(|(id, _)| *id).collect(),
        }));
        let network = Network::new(rpc.clone(), Arc::clone(&admission));
        let raft = Raft::new(options.member_id, config(&options)?, network, log.clone(), Arc::clone(&machine))
            .await
            .map_err(|e| StartError::Raft(e.to_string()))?;
        raft.runtime_config().elect(false);
        let (stop, stopped) = watch::channel(false);
        let addresses = options.members.iter().map(|(_, addr)| addr.clone()).collect();
        let inner = Arc::new(Inner {
            proposer: Proposer::spawn(raft.clone(), Arc::clone(&clock)),
            gate: ReadGate::spawn(raft.clone(), Arc::clone(&machine), at_start),
            memory: LeaderMemory::default(),
            clients: ClientWatch::default(),
            wake: Arc::new(Notify::new()),
            remote: HttpMetadata::new(rpc.clone(), addresses, random.as_ref()),
            random: Arc::clone(&random),
            history_term: AtomicU64::new(0),
            beginning: tokio::sync::Mutex::default(),
            handing_over: AtomicBool::new(false),
            admission,
            log,
            raft,
            machine,
            clock,
            rpc,
            stop,
            repair: StatusCell::default(),
            log_open,
        });
        let repair = repair::run(Arc::downgrade(&inner), options.clone(), storage.clone(), stopped.clone());
        let sole = is_sole(&inner, &options).await?;
        let mut jobs = Jobs::new(options.clone(), directory, random, storage);
        if sole {
            begin_alone(&inner, &options).await?;
            wait_until_ready(&inner, &mut jobs).await?;
        } else {
            tokio::spawn(meeting::run(Arc::downgrade(&inner), options.members, stopped.clone()));
        }
        tokio::spawn(repair);
        tokio::spawn(jobs::run(Arc::downgrade(&inner), Arc::clone(&inner.wake), jobs, stopped));
        Ok(Handle { inner })
    }
}

/// Whether there is nobody else to ask: this member is the only one, or will be.
async fn is_sole(inner: &Inner, options: &Options) -> Result<bool, StartError> {
    let initialized = inner.raft.is_initialized().await.map_err(|e| StartError::Raft(e.to_string()))?;
    let me = options.member_id;
    if initialized {
        Ok(inner.membership().into_keys().eq([me]))
    } else {
        Ok(matches!(options.members.as_slice(), [(only, _)] if *only == me))
    }
}

/// Lets a member lead that nobody else can contradict.
async fn begin_alone(inner: &Inner, options: &Options) -> Result<(), StartError> {
    let failed = |e: &dyn std::fmt::Display| StartError::Raft(e.to_string());
    inner.admission.open();
    inner.raft.runtime_config().elect(true);
    if inner.raft.is_initialized().await.map_err(|e| failed(&e))? {
        // Nobody else can lead: there is no election timeout to wait for.
        inner.raft.trigger().elect().await.map_err(|e| failed(&e))
    } else {
        meeting::initialize(inner, &options.members).await.map_err(|e| failed(&e))
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
