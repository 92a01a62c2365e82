//! What every read and write needs.

use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::footprint;
use cairn_core::id::{DiskId, DiskNumber, NodeId};
use cairn_core::profile::Profile;
use cairn_protocol::metadata::query::GetClusterMap;
use cairn_protocol::metadata::{Metadata, MetadataExt};
use cairn_protocol::storage::{StorageDirectory, StorageNode};

use super::budget::MemoryBudget;
use super::cluster_view::ClusterView;
use super::codecs::Codecs;
use super::disk_health::DiskHealth;
use super::fault_reporter::FaultReporter;
use super::hedge::HedgeDelay;
use super::session::Session;
use crate::buckets::BucketRecords;

/// The way to the disks. Cheap to clone.
#[derive(Clone)]
pub struct DataPath {
    pub metadata: Arc<dyn Metadata>,
    pub buckets: Arc<BucketRecords>,
    pub nodes: StorageDirectory,
    pub view: ClusterView,
    pub session: Arc<Session>,
    pub health: Arc<DiskHealth>,
    pub hedge: Arc<HedgeDelay>,
    pub codecs: Arc<Codecs>,
    pub faults: FaultReporter,
    pub budget: MemoryBudget,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone)]
pub struct DataPathOptions {
    /// The gateway's identity: a restart under the same identity ends the sessions before it.
    pub gateway: NodeId,
    /// Its name, for people.
    pub name: String,
    /// Bytes that all bodies together may hold in memory.
    pub memory_bytes: u64,
}

/// A disk and the node that serves it.
#[derive(Clone)]
pub(super) struct DiskClient {
    pub(super) number: DiskNumber,
    pub(super) id: DiskId,
    pub(super) node: Arc<dyn StorageNode>,
}

impl DataPath {
    /// A gateway's data path. The caller runs [`DataPath::keep_alive`].
    pub fn new(
        metadata: Arc<dyn Metadata>,
        nodes: StorageDirectory,
        options: &DataPathOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            view: ClusterView::new(),
            session: Arc::new(Session::new(options.gateway, options.name.clone())),
            health: Arc::new(DiskHealth::new(Arc::clone(&clock))),
            hedge: Arc::new(HedgeDelay::new()),
            codecs: Arc::default(),
            faults: FaultReporter::start(Arc::clone(&metadata)),
            buckets: Arc::new(BucketRecords::new(Arc::clone(&metadata), Arc::clone(&clock))),
            budget: MemoryBudget::new(options.memory_bytes),
            metadata,
            nodes,
            clock,
        }
    }

    /// A data path for system objects, whose extents can be found on the disks without any metadata. The caller runs
    /// [`DataPath::keep_alive`] while it writes.
    pub fn for_system_objects(
        metadata: Arc<dyn Metadata>,
        nodes: StorageDirectory,
        options: &DataPathOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let session = Arc::new(Session::system(options.gateway));
        Self { session, ..Self::new(metadata, nodes, options, clock) }
    }

    /// Whether there is a session and a cluster map with disks, so that reads and writes can succeed.
    pub fn is_ready(&self) -> bool {
        self.session.id().is_ok() && self.view.get().is_some_and(|map| !map.disks.is_empty())
    }

    /// How to reach disk `number`; `None` if the map does not know it.
    pub(super) fn disk(&self, map: &ClusterMap, number: DiskNumber) -> Option<DiskClient> {
        let disk = map.disk(number)?;
        let node = map.node(disk.node)?;
        Some(DiskClient { number, id: disk.id, node: self.nodes.node(node) })
    }

    /// The cluster map. If this gateway's map does not know all of `disks`, a newer one is fetched first: they have
    /// joined since.
    pub(super) async fn map_with(&self, disks: impl IntoIterator<Item = DiskNumber>) -> Option<Arc<ClusterMap>> {
        let map = self.view.get();
        let knows = |number| map.as_ref().is_some_and(|map| map.disk(number).is_some());
        if disks.into_iter().all(knows) {
            return map;
        }
        self.fetch_map().await;
        self.view.get()
    }

    /// Says which profiles of `map` that are new to this gateway are too large for its memory.
    fn report_too_large(&self, map: &ClusterMap) {
        let (before, memory_bytes) = (self.view.get(), self.budget.total_bytes());
        let is_new = |profile: &&Profile| before.as_ref().is_none_or(|map| map.profile(profile.id).is_none());
        for profile in map.all_profiles().filter(is_new) {
            let needed_bytes = footprint::body_max(profile);
            if needed_bytes > memory_bytes {
                let cell_bytes = profile.cell_bytes;
                tracing::error!(
                    %profile, cell_bytes, needed_bytes, memory_bytes,
                    "gateway.memory is too small for large bodies of a profile, which get 503: raise it to needed_bytes"
                );
            }
        }
    }

    pub(super) async fn fetch_map(&self) {
        match self.metadata.ask(GetClusterMap { known: self.view.epoch() }).await {
            Ok(Some(map)) => {
                self.report_too_large(&map);
                self.view.update(map);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "could not fetch the cluster map; using the last one"),
        }
    }
}
