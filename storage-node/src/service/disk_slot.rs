//! A directory that should hold a disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::DiskState;
use cairn_core::id::{DiskId, DiskNumber};
use cairn_core::sync::IgnorePoison;
use cairn_protocol::metadata::command::DiskRegistration;
use cairn_protocol::storage::{DiskStatus, StorageError, StorageErrorKind};

use super::slow_disk::{OPERATIONS, Sample};
use crate::disk_io::{Latency, RealDisk};
use crate::store::{DiskCondition, DiskStore};

/// Age of an operation under way from which on the disk hangs.
const HANG_LIMIT: Duration = Duration::from_secs(10);

/// Names the time since a disk was taken into service, in case it is in doubt about what it has.
type Doubt = u64;

/// A directory and what is known of the disk in it.
pub(super) struct DiskSlot {
    /// The place in the node's list, from 1, for messages.
    pub(super) number: usize,
    pub(super) path: PathBuf,
    pub(super) id: DiskId,
    /// Whether the disk is this node's and is reported to the cluster.
    pub(super) is_ours: bool,
    pub(super) io: RealDisk,
    pub(super) latency: Arc<Latency>,
    /// Why the disk is suspect although its store works: it is far slower than its neighbours.
    slowness: Mutex<Option<String>>,
    state: RwLock<SlotState>,
    pub(super) capacity_bytes: AtomicU64,
    /// Zero until the disk is registered.
    cluster_number: AtomicU32,
    /// Whether a thread is bringing the disk into or out of service.
    pub(super) is_changing: AtomicBool,
    /// Calls that were refused because the disk hung.
    refused_hanging: AtomicU64,
}

#[derive(Clone)]
enum SlotState {
    InService(DiskStore, Doubt),
    /// A directory that was never a disk and becomes one once the cluster is known.
    New,
    OutOfService(String),
}

impl DiskSlot {
    /// A slot whose disk is not in service, for the stated reason; without one the directory is `New`.
    pub(super) fn new(
        number: usize,
        path: PathBuf,
        id: DiskId,
        is_ours: bool,
        reason: Option<String>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let state = reason.map_or(SlotState::New, SlotState::OutOfService);
        let latency = Arc::new(Latency::new(Arc::clone(clock)));
        Self {
            number,
            io: RealDisk::timed(&path, Arc::clone(&latency)),
            latency,
            slowness: Mutex::default(),
            path,
            id,
            is_ours,
            state: RwLock::new(state),
            capacity_bytes: AtomicU64::new(0),
            cluster_number: AtomicU32::new(0),
            is_changing: AtomicBool::new(false),
            refused_hanging: AtomicU64::new(0),
        }
    }

    fn state(&self) -> SlotState {
        self.state.read().ignore_poison().clone()
    }

    /// The disk's number in the cluster; `None` until it is registered.
    pub(super) fn cluster_number(&self) -> Option<DiskNumber> {
        Some(self.cluster_number.load(Ordering::Relaxed)).filter(|number| *number > 0).map(DiskNumber)
    }

    pub(super) fn set_cluster_number(&self, number: DiskNumber) {
        self.cluster_number.store(number.0, Ordering::Relaxed);
    }

    /// How long the disk's operations took since the last call.
    pub(super) fn sample(&self) -> Sample {
        Sample { disk: self.id, latencies: OPERATIONS.map(|operation| self.latency.take(operation)) }
    }

    /// Sets how the disk is far slower than its neighbours; `None` if it is not.
    pub(super) fn set_slowness(&self, how: Option<String>) {
        let mut slowness = self.slowness.lock().ignore_poison();
        let (number, path) = (self.number, self.path.display());
        match (&*slowness, &how) {
            (None, Some(how)) => tracing::warn!(disk = %self.id, "disk {number} at {path} is suspect: {how}"),
            (Some(_), None) => {
                tracing::info!(disk = %self.id, "disk {number} at {path} is as fast as its neighbours again");
            }
            _ => {}
        }
        *slowness = how;
    }

    /// Why nothing is begun on the disk now; `None` if it does not hang.
    fn hangs(&self) -> Option<String> {
        let age = self.latency.oldest().filter(|age| *age >= HANG_LIMIT)?;
        let (path, seconds) = (self.path.display(), age.as_secs());
        Some(format!("disk {path} hangs: an operation has not come back for {seconds} s; check the hardware"))
    }

    /// The condition of a disk in service.
    fn condition(&self, store: &DiskStore) -> DiskCondition {
        if let Some(reason) = self.hangs() {
            return DiskCondition { state: DiskState::Suspect, reason };
        }
        let slowness = self.slowness.lock().ignore_poison().clone();
        let condition = store.condition();
        match (condition.state, slowness) {
            // The store's own trouble comes first.
            (DiskState::Active | DiskState::Full, Some(how)) => {
                let path = self.path.display();
                let advice = "nothing new is placed here until it has been well for a while: check the kernel log, the \
                              cabling and the disk's own error counters";
                let reason = format!("disk {path} is far too slow: {how}; {advice}");
                DiskCondition { state: DiskState::Suspect, reason }
            }
            _ => condition,
        }
    }

    /// Whether the directory was never a disk.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.state(), SlotState::New)
    }

    /// The disk's store; `None` while it is out of service.
    pub(super) fn in_service(&self) -> Option<DiskStore> {
        match self.state() {
            SlotState::InService(store, _) => Some(store),
            SlotState::New | SlotState::OutOfService(_) => None,
        }
    }

    /// The disk's store, or the error for a request to a disk that is out of service or hangs. What hangs takes its callers'
    /// threads and memory with it, so nobody else begins to wait.
    pub(super) fn store(&self) -> Result<DiskStore, StorageError> {
        if let Some(why) = self.hangs() {
            self.refused_hanging.fetch_add(1, Ordering::Relaxed);
            return Err(StorageError::new(StorageErrorKind::Hanging, self.id, why));
        }
        match self.state() {
            SlotState::InService(store, _) => Ok(store),
            SlotState::New => {
                let detail = format!("disk {} at {} is being prepared", self.number, self.path.display());
                Err(StorageError::new(StorageErrorKind::NoSuchDisk, self.id, detail))
            }
            SlotState::OutOfService(reason) => Err(StorageError::new(StorageErrorKind::NoSuchDisk, self.id, reason)),
        }
    }

    /// `doubt` is a random number.
    pub(super) fn put_into_service(&self, store: DiskStore, doubt: Doubt) {
        tracing::info!(disk = %self.id, path = %self.path.display(), "disk {} is in service", self.number);
        self.replace(SlotState::InService(store, doubt));
    }

    /// The disk was compared with metadata since it had this doubt.
    pub(super) fn end_doubt(&self, ended: Doubt) {
        if let SlotState::InService(store, doubt) = self.state()
            && doubt == ended
        {
            store.end_doubt();
        }
    }

    /// Returns the store, which the caller closes. Only a new reason is logged.
    pub(super) fn take_out_of_service(&self, reason: String) -> Option<DiskStore> {
        if !matches!(self.state(), SlotState::OutOfService(known) if known == reason) {
            tracing::warn!(disk = %self.id, "disk {} is out of service: {reason}", self.number);
        }
        self.replace(SlotState::OutOfService(reason))
    }

    /// Takes the disk out of service because its node stops, which is no trouble. Returns the store, which the caller
    /// closes.
    pub(super) fn stop(&self) -> Option<DiskStore> {
        tracing::debug!(disk = %self.id, "disk {} stops with its node", self.number);
        self.replace(SlotState::OutOfService("the node stops".to_owned()))
    }

    /// Returns the store that was in service before.
    fn replace(&self, state: SlotState) -> Option<DiskStore> {
        let before = std::mem::replace(&mut *self.state.write().ignore_poison(), state);
        match before {
            SlotState::InService(store, _) => Some(store),
            SlotState::New | SlotState::OutOfService(_) => None,
        }
    }

    pub(super) fn status(&self) -> DiskStatus {
        let path = self.path.display().to_string();
        let capacity_bytes = self.capacity_bytes.load(Ordering::Relaxed);
        let status = |state, reason, used_bytes, shards, scrub, doubt| DiskStatus {
            disk: self.id,
            path,
            state,
            reason,
            capacity_bytes,
            used_bytes,
            shards,
            scrub,
            refused_hanging: self.refused_hanging.load(Ordering::Relaxed),
            doubt,
        };
        match self.state() {
            SlotState::InService(store, doubt) => {
                let (DiskCondition { state, reason }, usage) = (self.condition(&store), store.usage());
                let doubt = Some(doubt).filter(|_| store.is_in_doubt());
                status(state, reason, usage.used_bytes, usage.shards, Some(store.scrub_status()), doubt)
            }
            SlotState::New => status(DiskState::Unavailable, "being prepared".to_owned(), 0, 0, None, None),
            SlotState::OutOfService(reason) => status(DiskState::Unavailable, reason, 0, 0, None, None),
        }
    }

    /// A new disk is registered as active: it is formatted as soon as the metadata service has answered.
    pub(super) fn registration(&self) -> DiskRegistration {
        let status = self.status();
        let state = if self.is_new() { DiskState::Active } else { status.state };
        DiskRegistration { id: self.id, path: status.path, capacity_bytes: status.capacity_bytes, state }
    }
}
