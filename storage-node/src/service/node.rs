//! The node: what its tasks share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use cairn_core::id::{ClusterId, DiskId, NodeId};
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::NodeStatus;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::commit_watches::CommitWatches;
use super::disk_slot::DiskSlot;
use super::error::StartError;
use super::node_state::NodeState;
use super::options::{Dependencies, Options};
use super::rebuild_fence::RebuildFence;

/// Rebuilds under way or waiting for memory. A correct planner stays below.
const REBUILDS_MAX: usize = 64;
/// Bytes that all rebuilds together may hold in memory: more than any one takes (see [`cairn_core::footprint::rebuild`]).
pub(super) const REBUILD_MEMORY_BYTES: u64 = 256 << 20;

/// What the node's tasks share.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) options: Options,
    pub(super) dependencies: Dependencies,
    slots: RwLock<Vec<Arc<DiskSlot>>>,
    watches: Mutex<CommitWatches>,
    fence: Mutex<RebuildFence>,
    /// Permits for rebuilds under way.
    pub(super) rebuilds: Semaphore,
    /// KiB for rebuilds under way.
    rebuild_memory: Semaphore,
    state: Mutex<NodeState>,
    state_dir: PathBuf,
    /// Whether the metadata service knows all disks of this node.
    pub(super) is_registered: AtomicBool,
    /// Whether the node is registered and every disk is in service or known to be out of it.
    pub(super) is_settled: AtomicBool,
    /// Tells the tasks to stop.
    pub(super) stop: watch::Sender<bool>,
    pub(super) tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Node {
    pub(super) fn new(options: Options, dependencies: Dependencies, state: NodeState, slots: Vec<DiskSlot>) -> Self {
        let now = dependencies.clock.monotonic();
        Self {
            id: state.node,
            watches: Mutex::new(CommitWatches::new(&state.seen, now)),
            fence: Mutex::default(),
            rebuilds: Semaphore::new(REBUILDS_MAX),
            rebuild_memory: Semaphore::new((REBUILD_MEMORY_BYTES >> 10) as usize),
            state: Mutex::new(state),
            state_dir: options.state_dir.clone(),
            options,
            dependencies,
            slots: RwLock::new(slots.into_iter().map(Arc::new).collect()),
            is_registered: AtomicBool::new(false),
            is_settled: AtomicBool::new(false),
            stop: watch::channel(false).0,
            tasks: Mutex::default(),
        }
    }

    /// The disk directories, in the order of the options.
    pub(super) fn slots(&self) -> Vec<Arc<DiskSlot>> {
        self.slots.read().ignore_poison().clone()
    }

    pub(super) fn slot(&self, disk: DiskId) -> Option<Arc<DiskSlot>> {
        let slots = self.slots.read().ignore_poison();
        // A copy that is not ours may have the id of a disk that is.
        slots.iter().find(|slot| slot.id == disk && slot.is_ours).map(Arc::clone)
    }

    /// Waits for the memory of a rebuild, `bytes` of it, and takes it until the permit is dropped. `None` if that is more than
    /// there is.
    pub(super) async fn take_rebuild_memory(&self, bytes: u64) -> Option<SemaphorePermit<'_>> {
        if bytes > REBUILD_MEMORY_BYTES {
            return None;
        }
        self.rebuild_memory.acquire_many(bytes.div_ceil(1 << 10) as u32).await.ok()
    }

    /// A directory that held something else now holds a disk of this node, which is not registered yet.
    pub(super) fn adopt(&self, slot: DiskSlot) {
        let mut slots = self.slots.write().ignore_poison();
        if let Some(place) = slots.iter_mut().find(|known| known.number == slot.number) {
            *place = Arc::new(slot);
        }
        drop(slots);
        self.is_registered.store(false, Ordering::Release);
    }

    /// A further disk directory, which is not registered yet.
    pub(super) fn add(&self, slot: DiskSlot) {
        self.slots.write().ignore_poison().push(Arc::new(slot));
        self.is_registered.store(false, Ordering::Release);
    }

    /// `None` until the node has joined a cluster.
    pub(super) fn cluster(&self) -> Option<ClusterId> {
        self.state().cluster
    }

    /// What the node remembers.
    pub(super) fn remembered(&self) -> NodeState {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, NodeState> {
        self.state.lock().ignore_poison()
    }

    pub(super) fn fence(&self) -> MutexGuard<'_, RebuildFence> {
        self.fence.lock().ignore_poison()
    }

    pub(super) fn watches(&self) -> MutexGuard<'_, CommitWatches> {
        self.watches.lock().ignore_poison()
    }

    /// The status of the node and of those of its disks that are `wanted`.
    pub(super) fn report(&self, wanted: impl Fn(&DiskSlot) -> bool) -> NodeStatus {
        let disks = self.slots().iter().filter(|slot| wanted(slot)).map(|slot| slot.status()).collect();
        NodeStatus { node: self.id, disks, cluster: self.cluster(), seen: self.watches().seen() }
    }

    /// Changes what the node remembers, durably. Blocks on the disk for a short time.
    pub(super) fn remember(&self, change: impl FnOnce(&mut NodeState)) -> Result<(), StartError> {
        let mut state = self.state();
        let before = state.clone();
        change(&mut state);
        if *state == before {
            return Ok(());
        }
        let saved = state.save(&self.state_dir);
        if saved.is_err() {
            // What is not on disk is not remembered: the next call retries.
            *state = before;
        }
        saved
    }
}
