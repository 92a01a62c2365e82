//! The data path: bodies in, erasure-coded shards out, and back.
//!
//! Nothing here knows HTTP or XML. A write takes a stream of bytes and leaves durable shards that wait for a commit; a
//! read takes located extents and yields verified bytes. Memory is bounded per body by a few stripes, and over all
//! bodies by one [`MemoryBudget`].

mod budget;
mod cluster_view;
mod codecs;
mod disk_health;
mod fault_reporter;
mod hedge;
mod read;
mod session;
mod source;
mod write;

use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{DiskId, DiskNumber, NodeId};
use cairn_protocol::metadata::query::GetClusterMap;
use cairn_protocol::metadata::{Metadata, MetadataExt};
use cairn_protocol::storage::{StorageDirectory, StorageNode};

pub use budget::{BudgetExhausted, MemoryBudget};
pub use cluster_view::ClusterView;
pub use codecs::Codecs;
pub use disk_health::DiskHealth;
pub use fault_reporter::FaultReporter;
pub use hedge::HedgeDelay;
pub(crate) use read::LOCATE_EXTENTS;
pub use read::{BodyReader, ReadError};
pub use session::{NoSession, Session};
pub use source::{BodyDigest, BodySource};
pub use write::{BodyWriter, WriteError, WrittenBody};

/// What every read and write needs. Cheap to clone.
#[derive(Clone)]
pub struct DataPath {
    /// The metadata service.
    pub metadata: Arc<dyn Metadata>,
    /// The storage nodes.
    pub nodes: StorageDirectory,
    /// The cluster map, kept fresh.
    pub view: ClusterView,
    /// This gateway's lease.
    pub session: Arc<Session>,
    /// Which disks to leave out for now.
    pub health: Arc<DiskHealth>,
    /// How long a read waits before it asks one more shard.
    pub hedge: Arc<HedgeDelay>,
    /// Coders by shape.
    pub codecs: Arc<Codecs>,
    /// Where bad shards are reported.
    pub faults: FaultReporter,
    /// Bytes that all bodies together may hold.
    pub budget: MemoryBudget,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// A disk with the node to talk to.
#[derive(Clone)]
struct DiskClient {
    number: DiskNumber,
    id: DiskId,
    node: Arc<dyn StorageNode>,
}

impl DataPath {
    /// How to reach disk `number`; nothing if the map does not know it.
    fn disk(&self, map: &ClusterMap, number: DiskNumber) -> Option<DiskClient> {
        let disk = map.disk(number)?;
        let node = map.node(disk.node)?;
        Some(DiskClient { number, id: disk.id, node: self.nodes.node(node) })
    }

    /// The cluster map; a newer one where this gateway's does not know all of `disks`, which have joined since then.
    async fn map_with(&self, disks: impl IntoIterator<Item = DiskNumber>) -> Option<Arc<ClusterMap>> {
        let map = self.view.get();
        let knows = |number| map.as_ref().is_some_and(|map| map.disk(number).is_some());
        if disks.into_iter().all(knows) {
            return map;
        }
        self.fetch_map().await;
        self.view.get()
    }

    async fn fetch_map(&self) {
        match self.metadata.ask(GetClusterMap { known: self.view.epoch() }).await {
            Ok(Some(map)) => self.view.update(map),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "could not fetch the cluster map"),
        }
    }

    /// A gateway's data path over `metadata` and `nodes`. The caller runs [`DataPath::keep_alive`].
    pub fn new(
        metadata: Arc<dyn Metadata>,
        nodes: StorageDirectory,
        options: &DataPathOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            view: ClusterView::new(),
            session: Arc::new(Session::new(options.gateway)),
            health: Arc::new(DiskHealth::new(Arc::clone(&clock))),
            hedge: Arc::new(HedgeDelay::new()),
            codecs: Arc::default(),
            faults: FaultReporter::start(Arc::clone(&metadata)),
            budget: MemoryBudget::new(options.memory_bytes),
            metadata,
            nodes,
            clock,
        }
    }

    /// A data path for system objects, whose extents are found on the disks without any metadata. The caller runs
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

    /// Keeps the session and the cluster map fresh; never returns.
    pub async fn keep_alive(self) {
        loop {
            session::refresh(&self).await;
            tokio::time::sleep(if self.is_ready() { session::RENEW_INTERVAL } else { session::START_INTERVAL }).await;
        }
    }
}

/// How a gateway's data path is set up.
#[derive(Debug, Clone)]
pub struct DataPathOptions {
    /// The gateway's identity.
    pub gateway: NodeId,
    /// Bytes that all bodies together may hold.
    pub memory_bytes: u64,
}
