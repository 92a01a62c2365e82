//! The storage nodes and disks that are read while no metadata service runs: nodes that answer, and the disks of this
//! machine, which are opened as its storage node would open them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;
use cairn_metadata::backup::BackupSummary;
use cairn_protocol::rpc::{HttpStorageNode, RpcClient};
use cairn_protocol::storage::{DiskStatus, StorageDirectory, StorageNode};
use cairn_storage_node::StorageNodeService;

use super::error::RestoreError;
use super::unavailable::NoMetadata;
use crate::disks::{SearchedNode, search_map};

/// Time for the disks of this machine to be opened, in steps.
const OPEN_STEPS_MAX: u32 = 600;
const OPEN_STEP: Duration = Duration::from_millis(50);

/// Which nodes and disks are read.
pub struct SearchOptions {
    /// `host:port` of the internal RPC of storage nodes that run.
    pub addresses: Vec<String>,
    pub local: Option<LocalDisks>,
    pub rpc: RpcClient,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    pub threads: Arc<dyn Threads>,
}

/// The disks of this machine, whose storage node does not run.
pub struct LocalDisks {
    pub state_dir: PathBuf,
    pub disks: Vec<PathBuf>,
    pub node_name: String,
}

/// What was read and restored.
#[derive(Debug)]
pub struct FromDisks {
    /// The backup that was restored; `None` for an empty namespace.
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

/// The nodes that are read. The disks of this machine stay open until [`Search::end`].
pub(super) struct Search<'a> {
    pub(super) options: &'a SearchOptions,
    pub(super) nodes: Vec<SearchedNode>,
    pub(super) map: ClusterMap,
    pub(super) directory: StorageDirectory,
    local: Option<cairn_storage_node::Handle>,
}

impl<'a> Search<'a> {
    pub(super) async fn begin(options: &'a SearchOptions) -> Result<Self, RestoreError> {
        let directory = StorageDirectory::new(options.rpc.clone());
        let mut nodes = Vec::new();
        for addr in &options.addresses {
            let status = HttpStorageNode::new(options.rpc.clone(), addr).status().await;
            let status = status.map_err(|source| RestoreError::Node { addr: addr.clone(), source })?;
            nodes.push(SearchedNode { rpc_addr: addr.clone(), status });
        }
        let local = match &options.local {
            Some(local) => Some(open(local, options, &directory).await?),
            None => None,
        };
        if let Some(local) = &local {
            let status = local.status().await.map_err(|source| RestoreError::Node { addr: String::new(), source })?;
            nodes.push(SearchedNode { rpc_addr: String::new(), status });
        }
        let map = search_map(&nodes);
        let search = Self { options, nodes, map, directory, local };
        if let Some(error) = search.no_disk_served().or_else(|| search.stranger()) {
            search.end().await;
            return Err(error);
        }
        Ok(search)
    }

    fn no_disk_served(&self) -> Option<RestoreError> {
        let none = self.map.disks.iter().all(|disk| !disk.state.serves());
        none.then(|| RestoreError::NoDisks(self.missing().join("; ")))
    }

    /// A node of another cluster than the first.
    fn stranger(&self) -> Option<RestoreError> {
        let mut clusters = self.nodes.iter().filter_map(|node| Some((&node.rpc_addr, node.status.cluster?)));
        let (_, first) = clusters.next()?;
        let (addr, other) = clusters.find(|(_, cluster)| *cluster != first)?;
        Some(RestoreError::TwoClusters { addr: addr.clone(), other, first })
    }

    pub(super) fn missing(&self) -> Vec<String> {
        let disks = self.nodes.iter().flat_map(|node| &node.status.disks).filter(|disk| !disk.state.serves());
        disks.map(|disk| format!("{}: {}", disk.path, disk.reason)).collect()
    }

    pub(super) fn report(&self, backup: Option<BackupSummary>, passed_over: Vec<String>) -> FromDisks {
        let disks = self.map.disks.iter().filter(|disk| disk.state.serves()).count();
        FromDisks { backup, passed_over, nodes: self.nodes.len(), disks, missing: self.missing() }
    }

    pub(super) async fn end(self) {
        if let Some(local) = self.local {
            local.shutdown().await;
        }
    }
}

/// Opens the disks of this machine without scrub and compaction, and waits until all of them are open or refused.
async fn open(
    local: &LocalDisks,
    search: &SearchOptions,
    directory: &StorageDirectory,
) -> Result<cairn_storage_node::Handle, RestoreError> {
    let LocalDisks { state_dir, disks, node_name } = local;
    let mut options = cairn_storage_node::Options::new(state_dir.clone(), disks.clone(), node_name);
    options.scrub.period = Duration::ZERO;
    options.compact_bytes_per_s_max = 0;
    let dependencies = cairn_storage_node::Dependencies {
        clock: Arc::clone(&search.clock),
        random: Arc::clone(&search.random),
        threads: Arc::clone(&search.threads),
        metadata: Arc::new(NoMetadata),
        peers: directory.clone(),
    };
    let handle = StorageNodeService::start(options, dependencies)?;
    directory.add_local(handle.id(), Arc::new(handle.clone()));
    for _ in 0..OPEN_STEPS_MAX {
        let status = handle.status().await.map_err(|source| RestoreError::Node { addr: String::new(), source })?;
        let opening = |disk: &DiskStatus| {
            disk.state == DiskState::Unavailable && disk.reason == cairn_storage_node::NOT_OPENED_YET
        };
        if !status.disks.iter().any(opening) {
            break;
        }
        tokio::time::sleep(OPEN_STEP).await;
    }
    Ok(handle)
}
