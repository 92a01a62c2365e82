//! A metadata member that is made from what lies on the disks, where all members are lost: from the newest backup there,
//! or, without any, with an empty namespace. Asks the storage nodes that run, and opens the disks of this configuration
//! itself. What came after the backup is found when the service that starts there is compared with the disks.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::clock::Clock;
use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::id::{CommitSequence, DiskId, ExtentId, SessionId};
use cairn_core::shard::ShardId;
use cairn_gateway::data::ReadError;
use cairn_metadata::backup::{self, BackupError, BackupSummary, RebuildOptions, RestoreOptions};
use cairn_protocol::metadata::{Answer, Command, Metadata, MetadataError, Outcome, Query, Signal, SignalAnswer};
use cairn_protocol::rpc::{HttpStorageNode, RpcClient};
use cairn_protocol::storage::{StorageDirectory, StorageError, StorageNode};
use cairn_storage_node::StorageNodeService;

use crate::clock::SystemClock;
use crate::config::{Config, Role};
use crate::credentials;
use crate::data_dir::DataDir;
use crate::offline::{OfflineError, metadata_dir};
use crate::process::{failure_domain, storage_state_dir};
use crate::random::SystemRandom;
use crate::recovery::{self, FoundBackup, SearchedNode};

/// Time for the disks of this configuration to be opened, in steps.
const OPEN_STEPS_MAX: u32 = 600;
const OPEN_STEP: Duration = Duration::from_millis(50);
/// Bits of a session's number.
const SESSION_BITS: u32 = 48;

/// What was found, and what was made of it.
#[derive(Debug)]
pub struct FromDisks {
    /// The backup that was restored; nothing for an empty namespace.
    pub backup: Option<BackupSummary>,
    /// Newer backups that are not whole, with what is wrong.
    pub passed_over: Vec<String>,
    /// Nodes that were asked.
    pub nodes: usize,
    /// Disks that were read.
    pub disks: usize,
    /// Disks that could not be read, with the reason.
    pub missing: Vec<String>,
}

/// Restores the newest backup that lies on the disks as a whole.
pub async fn restore_from_disks(config: &Config, addresses: &[String]) -> Result<FromDisks, OfflineError> {
    let _lock = DataDir::open(&config.data)?;
    let search = Search::begin(config, addresses).await?;
    let restored = search.restore(config).await;
    search.end().await;
    restored
}

/// Makes a member with an empty namespace, for where there is no backup.
pub async fn rebuild(config: &Config, addresses: &[String]) -> Result<FromDisks, OfflineError> {
    let _lock = DataDir::open(&config.data)?;
    let search = Search::begin(config, addresses).await?;
    let rebuilt = search.rebuild(config).await;
    search.end().await;
    rebuilt
}

/// The nodes that are read.
struct Search {
    nodes: Vec<SearchedNode>,
    map: ClusterMap,
    directory: StorageDirectory,
    local: Option<cairn_storage_node::Handle>,
    clock: Arc<dyn Clock>,
}

impl Search {
    async fn begin(config: &Config, addresses: &[String]) -> Result<Self, OfflineError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let rpc = RpcClient::new(&credentials::cluster_secret(config)?, Arc::clone(&clock));
        let directory = StorageDirectory::new(rpc.clone());
        let mut nodes = Vec::new();
        for addr in addresses {
            let status = HttpStorageNode::new(rpc.clone(), addr).status().await;
            let status = status.map_err(|source| OfflineError::Node { addr: addr.clone(), source })?;
            nodes.push(SearchedNode { rpc_addr: addr.clone(), status });
        }
        let local =
            if config.has(Role::StorageNode) { Some(open_disks(config, &directory, &clock).await?) } else { None };
        if let Some(local) = &local {
            let status = local.status().await.map_err(|source| OfflineError::Node { addr: String::new(), source })?;
            nodes.push(SearchedNode { rpc_addr: String::new(), status });
        }
        let map = recovery::search_map(&nodes);
        let search = Self { nodes, map, directory, local, clock };
        if search.map.disks.iter().all(|disk| !disk.state.serves()) {
            let missing = search.missing().join("; ");
            search.end().await;
            return Err(OfflineError::NoDisks(missing));
        }
        if let Some(stranger) = search.stranger() {
            search.end().await;
            return Err(stranger);
        }
        Ok(search)
    }

    /// A node of another cluster than the first.
    fn stranger(&self) -> Option<OfflineError> {
        let mut clusters = self.nodes.iter().filter_map(|node| Some((&node.rpc_addr, node.status.cluster?)));
        let (_, first) = clusters.next()?;
        let (addr, other) = clusters.find(|(_, cluster)| *cluster != first)?;
        Some(OfflineError::TwoClusters { addr: addr.clone(), other, first })
    }

    fn missing(&self) -> Vec<String> {
        let disks = self.nodes.iter().flat_map(|node| &node.status.disks).filter(|disk| !disk.state.serves());
        disks.map(|disk| format!("{}: {}", disk.path, disk.reason)).collect()
    }

    fn report(&self, backup: Option<BackupSummary>, passed_over: Vec<String>) -> FromDisks {
        let disks = self.map.disks.iter().filter(|disk| disk.state.serves()).count();
        FromDisks { backup, passed_over, nodes: self.nodes.len(), disks, missing: self.missing() }
    }

    async fn restore(&self, config: &Config) -> Result<FromDisks, OfflineError> {
        let found = recovery::find(&self.map, &self.directory).await?;
        let spool = config.data.join("metadata-restore.spool");
        let mut passed_over = Vec::new();
        for backup in &found {
            match self.restore_one(config, backup, &spool).await {
                Ok(summary) => {
                    let _ = std::fs::remove_file(&spool);
                    return Ok(self.report(Some(summary), passed_over));
                }
                // The directory is not empty, or cannot be written: another backup changes nothing.
                Err(OfflineError::Backup(error @ (BackupError::NotEmpty(_) | BackupError::Store(_)))) => {
                    let _ = std::fs::remove_file(&spool);
                    return Err(error.into());
                }
                Err(error) => passed_over.push(format!("{}: {error}", backup.key)),
            }
        }
        let _ = std::fs::remove_file(&spool);
        Err(OfflineError::NoBackup { passed_over: passed_over.join("; "), missing: self.missing().join("; ") })
    }

    async fn restore_one(
        &self,
        config: &Config,
        found: &FoundBackup,
        spool: &PathBuf,
    ) -> Result<BackupSummary, OfflineError> {
        tracing::info!(key = found.key, bytes = found.bytes, written_ms = found.written_ms, "a backup on the disks");
        let failed = |source| OfflineError::Open { path: spool.clone(), source };
        let mut file = File::create(spool).map_err(failed)?;
        let outside: (Arc<dyn Metadata>, _) = (Arc::new(Nobody), Arc::clone(&self.clock));
        let take = |piece: &[u8]| file.write_all(piece).map_err(failed);
        recovery::stream(found, &self.map, &self.directory, outside, take).await?;
        // Nothing is begun from a backup that is not whole.
        let open = || File::open(spool).map(|file| BufReader::with_capacity(1 << 20, file)).map_err(failed);
        backup::verify(open()?)?;
        let (dir, addr) = (metadata_dir(config), config.rpc_advertise.clone());
        Ok(backup::restore(open()?, &RestoreOptions { dir, member: config.metadata_id, addr }, &SystemRandom)?)
    }

    async fn rebuild(&self, config: &Config) -> Result<FromDisks, OfflineError> {
        let cluster = self.nodes.iter().find_map(|node| node.status.cluster);
        let cluster = cluster.ok_or_else(|| OfflineError::NoDisks(self.missing().join("; ")))?;
        let commit = self.nodes.iter().filter_map(|node| node.status.commit).max().unwrap_or(CommitSequence(0));
        let mut session_number = 0;
        for disk in self.map.disks.iter().filter(|disk| disk.state.serves()) {
            let Some(node) = self.map.node(disk.node) else { continue };
            let node = self.directory.node(node);
            for first in [SessionId(0), SessionId::system(0)] {
                session_number = session_number.max(last_session(&*node, disk.id, first).await?);
            }
        }
        let options = RebuildOptions {
            dir: metadata_dir(config),
            member: config.metadata_id,
            addr: config.rpc_advertise.clone(),
            cluster,
            commit,
            session_number,
            failure_domain: failure_domain(&config.failure_domain),
        };
        backup::rebuild(&options, &SystemRandom)?;
        Ok(self.report(None, Vec::new()))
    }

    async fn end(self) {
        if let Some(local) = self.local {
            local.shutdown().await;
        }
    }
}

/// The highest number of a session of the same kind as `first` of which the disk has a shard; 0 for none. Halves the
/// space of numbers: an inventory is in order, and has no end that could be asked for.
async fn last_session(node: &dyn StorageNode, disk: DiskId, first: SessionId) -> Result<u64, StorageError> {
    let (mut low, mut high) = (0u64, (1u64 << SESSION_BITS) - 1);
    // Invariant: no shard is of a session above `high`; `low` is zero, or one is of a session from `low` on.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let before = ShardId { extent: ExtentId::new(SessionId(first.0 + middle - 1), u64::MAX), index: u8::MAX };
        let next = node.inventory(disk, Some(before), 1).await?;
        match next.first().map(|shard| shard.extent.session) {
            Some(session) if session.is_system() == first.is_system() => low = session.number(),
            _ => high = middle - 1,
        }
    }
    Ok(low)
}

/// Opens the disks of this configuration, as its storage node would, for as long as they are read.
async fn open_disks(
    config: &Config,
    directory: &StorageDirectory,
    clock: &Arc<dyn Clock>,
) -> Result<cairn_storage_node::Handle, OfflineError> {
    let mut options =
        cairn_storage_node::Options::new(storage_state_dir(config), config.disks.clone(), &config.node_name);
    options.scrub.period = Duration::ZERO;
    options.compact_bytes_per_s_max = 0;
    let dependencies = cairn_storage_node::Dependencies {
        clock: Arc::clone(clock),
        random: Arc::new(SystemRandom),
        metadata: Arc::new(Nobody),
        peers: directory.clone(),
    };
    let handle = StorageNodeService::start(options, dependencies)?;
    directory.add_local(handle.id(), Arc::new(handle.clone()));
    for _ in 0..OPEN_STEPS_MAX {
        let status = handle.status().await.map_err(|source| OfflineError::Node { addr: String::new(), source })?;
        let opening = |disk: &cairn_protocol::storage::DiskStatus| {
            disk.state == DiskState::Unavailable && disk.reason == cairn_storage_node::NOT_OPENED_YET
        };
        if !status.disks.iter().any(opening) {
            break;
        }
        tokio::time::sleep(OPEN_STEP).await;
    }
    Ok(handle)
}

/// The metadata service while there is none.
struct Nobody;

impl Nobody {
    fn error<T>() -> Result<T, MetadataError> {
        Err(MetadataError::Unavailable("the metadata is being restored".to_owned()))
    }
}

#[async_trait]
impl Metadata for Nobody {
    async fn execute(&self, _: Command) -> Result<Outcome, MetadataError> {
        Self::error()
    }

    async fn query(&self, _: Query) -> Result<Answer, MetadataError> {
        Self::error()
    }

    async fn signal(&self, _: Signal) -> Result<SignalAnswer, MetadataError> {
        Self::error()
    }
}

impl From<ReadError> for OfflineError {
    fn from(error: ReadError) -> Self {
        Self::Read(error.to_string())
    }
}
