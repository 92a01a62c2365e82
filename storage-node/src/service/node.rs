//! The node's shared state, and its start.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use cairn_core::id::{ClusterId, DiskId, NodeId};
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::NodeStatus;
use tokio::sync::{Semaphore, watch};

use super::commit_watch::CommitWatch;
use super::disk_slot::DiskSlot;
use super::disks::{measure, survey};
use super::error::StartError;
use super::handle::Handle;
use super::node_state::NodeState;
use super::options::{Dependencies, Options};
use super::rebuild_fence::RebuildFence;
use super::run;

/// Rebuilds under way at the same time; the planner of an honest leader stays below.
const REBUILDS_MAX: usize = 64;

/// What the node's tasks share.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) options: Options,
    pub(super) dependencies: Dependencies,
    slots: RwLock<Vec<Arc<DiskSlot>>>,
    pub(super) watch: Mutex<CommitWatch>,
    pub(super) fence: Mutex<RebuildFence>,
    /// Bounds the rebuilds under way.
    pub(super) rebuilds: Semaphore,
    state: Mutex<NodeState>,
    state_dir: PathBuf,
    /// Whether the metadata service knows all disks that are ours.
    pub(super) is_registered: AtomicBool,
    /// Whether the node is registered and has looked at every disk.
    pub(super) is_settled: AtomicBool,
    /// Tells the tasks to stop.
    pub(super) stop: watch::Sender<bool>,
    pub(super) tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Node {
    /// The disk directories, in the order of the options.
    pub(super) fn slots(&self) -> Vec<Arc<DiskSlot>> {
        self.slots.read().ignore_poison().clone()
    }

    /// The slot of a disk.
    pub(super) fn slot(&self, disk: DiskId) -> Option<Arc<DiskSlot>> {
        let slots = self.slots.read().ignore_poison();
        // A disk that is not ours may carry the id of one that is.
        slots.iter().find(|slot| slot.id == disk && slot.is_ours).map(Arc::clone)
    }

    /// A directory that held something that is not ours holds a disk of ours now, which is yet to be registered.
    pub(super) fn adopt(&self, slot: DiskSlot) {
        let mut slots = self.slots.write().ignore_poison();
        if let Some(place) = slots.iter_mut().find(|known| known.number == slot.number) {
            *place = Arc::new(slot);
        }
        drop(slots);
        self.is_registered.store(false, Ordering::Release);
    }

    /// A further disk directory, which is yet to be registered.
    pub(super) fn add(&self, slot: DiskSlot) {
        self.slots.write().ignore_poison().push(Arc::new(slot));
        self.is_registered.store(false, Ordering::Release);
    }

    /// The cluster, if it is known.
    pub(super) fn cluster(&self) -> Option<ClusterId> {
        self.state().cluster
    }

    /// What the node remembers right now.
    pub(super) fn remembered(&self) -> NodeState {
        self.state().clone()
    }

    fn state(&self) -> MutexGuard<'_, NodeState> {
        self.state.lock().ignore_poison()
    }

    pub(super) fn watch(&self) -> MutexGuard<'_, CommitWatch> {
        self.watch.lock().ignore_poison()
    }

    /// What the node says of itself and of those of its disks that are `wanted`.
    pub(super) fn report(&self, wanted: impl Fn(&DiskSlot) -> bool) -> NodeStatus {
        let disks = self.slots().iter().filter(|slot| wanted(slot)).map(|slot| slot.status()).collect();
        let (commit, history) = self.watch().newest_with_history();
        NodeStatus { node: self.id, disks, cluster: self.cluster(), commit: Some(commit), history }
    }

    /// Changes what the node remembers, durably. Blocks on the disk, shortly.
    pub(super) fn remember(&self, change: impl FnOnce(&mut NodeState)) -> Result<(), StartError> {
        let mut state = self.state();
        let before = state.clone();
        change(&mut state);
        if *state == before {
            return Ok(());
        }
        let saved = state.save(&self.state_dir);
        if saved.is_err() {
            // What is not on disk is not remembered; the next call tries again.
            *state = before;
        }
        saved
    }
}

/// The cluster that the node with this state directory belongs to; nothing for a node that never joined one. A metadata
/// service in the same process refuses to form a new cluster where this names one (I15).
pub fn known_cluster(state_dir: &Path) -> Result<Option<ClusterId>, StartError> {
    Ok(NodeState::read(state_dir)?.and_then(|state| state.cluster))
}

/// Starts storage nodes.
pub struct StorageNodeService;

impl StorageNodeService {
    /// Looks at the disks, starts the node's tasks, and returns at once: disks come into service one by one, and the
    /// metadata service is tried until it answers. Must be called inside a tokio runtime.
    pub fn start(options: Options, dependencies: Dependencies) -> Result<Handle, StartError> {
        if options.disks.is_empty() {
            return Err(StartError::NoDisks);
        }
        let random = Arc::clone(&dependencies.random);
        let mut state = NodeState::load(&options.state_dir, random.as_ref())?;
        let slots = survey(&options, &mut state, random.as_ref(), &dependencies.clock)?;
        // Before anything is formatted: a disk that was begun must be known as one.
        state.save(&options.state_dir)?;
        let slots: Vec<Arc<DiskSlot>> = slots.into_iter().map(Arc::new).collect();
        measure(&slots, options.capacity_bytes);
        let now = dependencies.clock.monotonic();
        let node = Arc::new(Node {
            id: state.node,
            watch: Mutex::new(CommitWatch::new(state.commit, state.history, now)),
            fence: Mutex::default(),
            rebuilds: Semaphore::new(REBUILDS_MAX),
            state: Mutex::new(state),
            state_dir: options.state_dir.clone(),
            options,
            dependencies,
            slots: RwLock::new(slots),
            is_registered: AtomicBool::new(false),
            is_settled: AtomicBool::new(false),
            stop: watch::channel(false).0,
            tasks: Mutex::default(),
        });
        run::spawn(&node);
        Ok(Handle::new(node))
    }
}
