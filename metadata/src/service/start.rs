//! How a member starts.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::Incarnation;
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;
use cairn_protocol::rpc::{ClientId, HttpMetadata, RpcClient};
use cairn_protocol::storage::StorageDirectory;
use openraft::{Config, SnapshotPolicy};
use tokio::sync::watch;

use super::elections;
use super::handle::Handle;
use super::meeting;
use super::member::RunningMember;
use super::room;
use crate::directory::{Directory, StartError};
use crate::jobs::repair;
use crate::jobs::{Jobs, TrimLog};
use crate::leader::{Leader, LeaderParts};
use crate::options::Options;
use crate::raft::Raft;
use crate::raft::admission::{Admission, LocalMember};
use crate::raft::candidacy::Voice;
use crate::raft::network::Network;
use crate::raft::pins::Pins;
use crate::raft::times::{ELECTION_MS_MAX, ELECTION_MS_MIN, HEARTBEAT_MS};

/// Time for a single member to become ready.
const READY_LIMIT: Duration = Duration::from_mins(1);
const READY_STEP: Duration = Duration::from_millis(2);

/// What a member is given: time, randomness, threads, the network.
pub struct Dependencies {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for the id of a new cluster.
    pub random: Arc<dyn RandomSource>,
    /// Starts the thread that writes the log.
    pub threads: Arc<dyn Threads>,
    /// The storage nodes, for deleting released content.
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
        let Dependencies { clock, random, threads, storage, rpc } = dependencies;
        let (own, time, drawn) = (options.clone(), Arc::clone(&clock), Incarnation::draw(random.as_ref()));
        let directory = tokio::task::spawn_blocking(move || Directory::open(&own, time, threads.as_ref(), drawn))
            .await
            .map_err(|e| StartError::Raft(e.to_string()))??;
        let (machine, log) = (Arc::clone(&directory.machine), directory.log.clone());
        let (log_open, at_start) = (log.open_token(), log.end());
        let admission = Arc::new(Admission::new(local_member(&options, &directory, random.as_ref())));
        let pins = Arc::new(Pins::default());
        let voice = Arc::new(Voice::default());
        let network = Network::new(
            rpc.clone(),
            Arc::clone(&admission),
            Arc::clone(&pins),
            Arc::clone(&voice),
            Arc::clone(&clock),
        );
        let started = clock.monotonic();
        let raft = Raft::new(options.member_id, config(&options)?, network, log.clone(), Arc::clone(&machine))
            .await
            .map_err(|e| StartError::Raft(e.to_string()))?;
        // Members ask each other first: see `elections`.
        raft.runtime_config().elect(false);
        let (stop, stopped) = watch::channel(false);
        let addresses = options.members.iter().map(|(_, addr)| addr.clone()).collect();
        let remote = HttpMetadata::new(rpc.clone(), addresses, random.as_ref());
        let parts = LeaderParts {
            raft: raft.clone(),
            machine: Arc::clone(&machine),
            clock,
            random: Arc::clone(&random),
            voice: Arc::clone(&voice),
            at_start,
        };
        let leader = Arc::new(Leader::spawn(parts));
        let member = Arc::new(RunningMember {
            leader,
            raft,
            machine,
            log,
            admission,
            rpc,
            voice,
            random: Arc::clone(&random),
            started,
            remote,
            stop,
            log_open,
        });
        let leader = &member.leader;
        let repair = repair::run(Arc::downgrade(leader), options.clone(), storage.clone(), stopped.clone());
        let sole = is_sole(&member, &options).await?;
        let every = options.tick;
        let trim = TrimLog::new(&options, member.raft.clone(), member.log.clone(), pins);
        let mut jobs = Jobs::new(options.clone(), directory, Arc::clone(&member.admission), random, storage);
        if sole {
            begin_alone(&member, &options).await?;
            wait_until_ready(&member, &mut jobs).await?;
        } else {
            tokio::spawn(meeting::run(Arc::downgrade(&member), options.members, stopped.clone()));
        }
        tokio::spawn(elections::run(Arc::downgrade(&member), stopped.clone()));
        tokio::spawn(repair);
        tokio::spawn(room::run(Arc::downgrade(&member), every, stopped.clone()));
        jobs.spawn(leader, trim, stopped);
        Ok(Handle { member })
    }
}

fn local_member(options: &Options, directory: &Directory, random: &dyn RandomSource) -> LocalMember {
    LocalMember {
        member: options.member_id,
        incarnation: directory.incarnation(),
        process: ClientId::draw(random),
        founders: options.members.iter().map(|(id, _)| *id).collect(),
    }
}

/// Whether there is nobody else to ask: this member is the only one, or will be.
async fn is_sole(member: &RunningMember, options: &Options) -> Result<bool, StartError> {
    let initialized = member.raft.is_initialized().await.map_err(|e| StartError::Raft(e.to_string()))?;
    let me = options.member_id;
    if initialized {
        Ok(member.leader.members().addresses().into_keys().eq([me]))
    } else {
        Ok(matches!(options.members.as_slice(), [(only, _)] if *only == me))
    }
}

/// Makes the only member the leader.
async fn begin_alone(member: &RunningMember, options: &Options) -> Result<(), StartError> {
    let failed = |e: &dyn std::fmt::Display| StartError::Raft(e.to_string());
    member.admission.open();
    if member.raft.is_initialized().await.map_err(|e| failed(&e))? {
        // Nobody else can lead: there is no election timeout to wait for.
        member.raft.trigger().elect().await.map_err(|e| failed(&e))
    } else {
        meeting::initialize(member, &options.members).await.map_err(|e| failed(&e))
    }
}

fn config(options: &Options) -> Result<Arc<Config>, StartError> {
    let config = Config {
        cluster_name: "cairn".to_owned(),
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min: ELECTION_MS_MIN,
        election_timeout_max: ELECTION_MS_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(options.snapshot_entries),
        // Raft by itself purges nothing: `TrimLog` does.
        max_in_snapshot_log_to_keep: u64::MAX,
        ..Config::default()
    };
    Ok(Arc::new(config.validate().map_err(|e| StartError::Raft(e.to_string()))?))
}

/// Waits until a single member leads and its cluster is formed.
async fn wait_until_ready(member: &RunningMember, jobs: &mut Jobs) -> Result<(), StartError> {
    let ready = async {
        loop {
            if member.leader.leads() {
                jobs.form(&member.leader).await?;
                if member.machine.map().is_some() {
                    return Ok(());
                }
            }
            if let Err(fatal) = member.raft.metrics().borrow().running_state.clone() {
                return Err(StartError::Raft(fatal.to_string()));
            }
            tokio::time::sleep(READY_STEP).await;
        }
    };
    let late = |_| StartError::Raft(format!("not ready after {READY_LIMIT:?}"));
    tokio::time::timeout(READY_LIMIT, ready).await.map_err(late)?
}
