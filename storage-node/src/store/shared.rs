//! What the threads of one disk share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::shard::ShardId;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::{StorageError, StorageErrorKind};
use tokio::sync::{Semaphore, oneshot};

use super::base::Base;
use super::entry::Entry;
use super::fault::classify;
use super::log::LogRequest;
use super::options::{
    LOG_QUEUE_MAX, READ_QUEUE_MAX, READERS_WORKING_MAX, STALL_LIMIT, STREAMS_MAX, StoreOptions, WRITE_BYTES_MAX,
};
use super::queue::{PushError, Queue};
use super::reader::ReadRequest;
use super::scrub::ScrubState;
use super::state::{Known, State};
use super::stream::StreamRequest;
use super::sync::Ack;
use super::volume_files::VolumeFiles;
use crate::disk_io::{DiskFile, DiskIo};
use crate::format::{DiskIdentity, Place, VolumeKey};

/// Where the answer to a request goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StorageError>>;

/// A volume that takes records.
pub(super) struct ActiveVolume {
    pub(super) number: u32,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) key: VolumeKey,
    /// Set by the first failed write or sync, for good (I2).
    pub(super) poisoned: AtomicBool,
}

impl ActiveVolume {
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::SeqCst)
    }
}

/// A disk that is known to be the right one and kept from others.
pub(super) struct LockedDisk {
    pub(super) identity: DiskIdentity,
    pub(super) path: String,
    pub(super) options: StoreOptions,
    pub(super) io: Arc<dyn DiskIo>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lock: Box<dyn Send + Sync>,
}

/// One disk's store, as its threads see it.
pub(super) struct Shared {
    pub(super) identity: DiskIdentity,
    /// The directory, for people.
    pub(super) path: String,
    pub(super) options: StoreOptions,
    pub(super) io: Arc<dyn DiskIo>,
    pub(super) base: Base,
    pub(super) files: VolumeFiles,
    state: Mutex<State>,
    pub(super) log: Queue<LogRequest>,
    pub(super) streams: Queue<StreamRequest>,
    pub(super) syncs: Queue<Ack>,
    pub(super) reads: Queue<ReadRequest>,
    pub(super) scrub: ScrubState,
    /// Wakes the maintenance thread: there are holes to punch, or a checkpoint is due.
    pub(super) upkeep: Queue<()>,
    /// Wakes the compaction thread, by closing alone: nothing is ever queued.
    pub(super) compaction: Queue<()>,
    /// Bytes of shards in memory.
    pub(super) write_bytes: Arc<Semaphore>,
    /// Shards that stream in.
    pub(super) open_streams: Arc<Semaphore>,
    pub(super) clock: Arc<dyn Clock>,
    /// When the group write that is under way began, and when the sync did: monotonic milliseconds, zero for none.
    write_since_ms: AtomicU64,
    sync_since_ms: AtomicU64,
    /// Why the disk takes no writes any more.
    suspicion: OnceLock<String>,
    /// Whether the last look at the filesystem found less than the reserve.
    pub(super) below_reserve: AtomicBool,
    /// Whether the filesystem can hold no more files.
    pub(super) no_files_left: AtomicBool,
    /// Whether the file that is set aside for a full disk has to be made again.
    pub(super) spare_is_missing: AtomicBool,
    /// Bytes that the disk's files occupy.
    pub(super) used_bytes: AtomicU64,
    /// Held while a checkpoint is made.
    pub(super) checkpointing: Mutex<()>,
    /// Keeps other processes away for as long as any thread is there.
    _lock: Box<dyn Send + Sync>,
}

impl Shared {
    pub(super) fn new(disk: LockedDisk, base: Base, state: State) -> Self {
        let LockedDisk { identity, path, options, io, clock, lock } = disk;
        Self {
            identity,
            path,
            options,
            files: VolumeFiles::new(Arc::clone(&io)),
            io,
            base,
            state: Mutex::new(state),
            log: Queue::new(LOG_QUEUE_MAX),
            // Bounded by the bytes and streams that are admitted.
            streams: Queue::new(usize::MAX),
            syncs: Queue::new(usize::MAX),
            reads: Queue::with_workers(READ_QUEUE_MAX, READERS_WORKING_MAX),
            scrub: ScrubState::new(identity.disk),
            upkeep: Queue::new(1),
            compaction: Queue::new(0),
            write_bytes: Arc::new(Semaphore::new(WRITE_BYTES_MAX)),
            open_streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            clock,
            write_since_ms: AtomicU64::new(0),
            sync_since_ms: AtomicU64::new(0),
            suspicion: OnceLock::new(),
            below_reserve: AtomicBool::new(false),
            no_files_left: AtomicBool::new(false),
            spare_is_missing: AtomicBool::new(true),
            used_bytes: AtomicU64::new(0),
            checkpointing: Mutex::default(),
            _lock: lock,
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().ignore_poison()
    }

    pub(super) fn error(&self, kind: StorageErrorKind, detail: impl std::fmt::Display) -> StorageError {
        StorageError::new(kind, self.identity.disk, format!("{}: {detail}", self.path))
    }

    /// The error for an I/O operation that failed: `what` says which.
    pub(super) fn io_error(&self, what: &str, error: &std::io::Error) -> StorageError {
        self.error(classify(error), format_args!("{what} failed: {error}"))
    }

    pub(super) fn push_error(&self, error: PushError) -> StorageError {
        match error {
            PushError::Full => self.error(StorageErrorKind::Busy, "too many requests wait for this disk"),
            PushError::Closed => self.closing(),
        }
    }

    /// A request that the disk's shutdown cut off: nobody knows what became of it.
    pub(super) fn closing(&self) -> StorageError {
        self.error(StorageErrorKind::Unreachable, "the disk is going out of service")
    }

    /// Why the disk takes no writes, if it takes none.
    pub(super) fn suspicion(&self) -> Option<&str> {
        self.suspicion.get().map(String::as_str)
    }

    fn now_ms(&self) -> u64 {
        (self.clock.monotonic().as_millis() as u64).max(1)
    }

    /// Notes that a group write begins.
    pub(super) fn writing(&self) -> UnderWay<'_> {
        self.write_since_ms.store(self.now_ms(), Ordering::Relaxed);
        UnderWay(&self.write_since_ms)
    }

    /// Notes that a sync begins.
    pub(super) fn syncing(&self) -> UnderWay<'_> {
        self.sync_since_ms.store(self.now_ms(), Ordering::Relaxed);
        UnderWay(&self.sync_since_ms)
    }

    /// For how long the disk has not come back from a write or a sync, if it is too long (I24).
    pub(super) fn stalled_for(&self) -> Option<Duration> {
        let since = [&self.write_since_ms, &self.sync_since_ms].map(|since| since.load(Ordering::Relaxed));
        let oldest = since.into_iter().filter(|since| *since > 0).min()?;
        let stalled = Duration::from_millis(self.now_ms().saturating_sub(oldest));
        (stalled >= STALL_LIMIT).then_some(stalled)
    }

    /// A write to a volume failed. The volume is done for, unless the disk was merely full or the process was short of
    /// something: then only this write is lost, and its region is not used again.
    pub(super) fn write_error(&self, volume: &ActiveVolume, what: &str, error: &std::io::Error) -> StorageError {
        match classify(error) {
            StorageErrorKind::Failed => self.poison(volume, what, error),
            _ => self.io_error(what, error),
        }
    }

    /// A write or a sync of a volume failed: the volume is done for, and the disk too if it is to blame (I2).
    pub(super) fn poison(&self, volume: &ActiveVolume, what: &str, error: &std::io::Error) -> StorageError {
        volume.poisoned.store(true, Ordering::SeqCst);
        self.suspect(what, error)
    }

    /// Something other than a read failed: if the disk is to blame, it takes no writes from now on.
    pub(super) fn suspect(&self, what: &str, error: &std::io::Error) -> StorageError {
        let report = self.io_error(what, error);
        tracing::error!(disk = %self.identity.disk, "{report}");
        if report.kind == StorageErrorKind::Failed {
            let path = &self.path;
            let _ = self.suspicion.set(format!(
                "{what} failed on disk {path}: {error}; nothing new is stored here: check the kernel log and the \
                 hardware, then restart the node, or replace the disk"
            ));
        }
        report
    }

    /// Where a shard lies, from memory or from the index on disk. The state's lock is not held while the disk is read.
    pub(super) fn locate(&self, shards: &[ShardId]) -> Result<Located, StorageError> {
        let (mut entries, generation, unknown) = {
            let state = self.state();
            let known: Vec<_> = shards.iter().map(|shard| state.known(*shard)).collect();
            let unknown: Vec<_> =
                known.iter().zip(shards).filter(|(k, _)| **k == Known::AskBase).map(|(_, s)| *s).collect();
            (known, state.base_generation, unknown)
        };
        if !unknown.is_empty() {
            let mut found = self.base.lookup(&unknown).map_err(|e| self.index_error(&e))?.into_iter();
            let asked = entries.iter_mut().filter(|known| **known == Known::AskBase);
            for slot in asked {
                *slot = found.next().flatten().map_or(Known::Absent, Known::Present);
            }
        }
        let entries = entries.into_iter().map(|known| match known {
            Known::Present(entry) => Some(entry),
            Known::Absent | Known::AskBase => None,
        });
        Ok(Located { entries: entries.collect(), generation })
    }

    /// Where a shard lies right now, given what `locate` found a moment ago. Called with the lock held.
    pub(super) fn current(
        &self,
        state: &State,
        shard: ShardId,
        earlier: Option<Entry>,
        generation: u64,
    ) -> Option<Entry> {
        match state.known(shard) {
            Known::Present(entry) => Some(entry),
            Known::Absent => None,
            Known::AskBase if generation == state.base_generation => earlier,
            // A checkpoint came between, which is rare: ask again. If that fails, what was known is the best there is.
            Known::AskBase => self.base.lookup(&[shard]).map_or(earlier, |found| found.into_iter().next().flatten()),
        }
    }

    pub(super) fn index_error(&self, error: &redb::Error) -> StorageError {
        match error {
            redb::Error::Io(error) => self.io_error("reading the index", error),
            error => self.error(StorageErrorKind::Failed, format_args!("reading the index failed: {error}")),
        }
    }

    /// Whether anybody waits for the disk: background work gives way then.
    pub(super) fn is_wanted(&self) -> bool {
        !self.reads.is_empty() || !self.log.is_empty()
    }

    /// Gives up a record whose footer was not begun, and its space back.
    pub(super) fn abandon_unfinished(&self, place: Place, bytes: u64) {
        self.state().abandon_unfinished(place, bytes);
        let _ = self.upkeep.push(());
    }

    /// A thread of the store panicked: nobody must wait for it.
    fn abort(&self) {
        let path = &self.path;
        let _ = self.suspicion.set(format!("the store of disk {path} stopped on a defect: restart the node"));
        tracing::error!(disk = %self.identity.disk, "the store stopped on a defect");
        self.log.abort();
        self.streams.abort();
        self.syncs.abort();
        self.reads.abort();
        self.scrub.close();
        self.upkeep.abort();
        self.compaction.abort();
    }

    /// Stops taking requests. What waits is still carried out.
    pub(super) fn close(&self) {
        self.log.close();
        self.streams.close();
        self.syncs.close();
        self.reads.close();
        self.scrub.close();
        self.upkeep.close();
        self.compaction.close();
    }
}

/// Ends the store when the thread that holds it panics.
pub(super) struct EndOnPanic(pub(super) Arc<Shared>);

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abort();
        }
    }
}

/// Notes that an operation on the disk is under way, until it is dropped.
pub(super) struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Where shards lay a moment ago.
pub(super) struct Located {
    pub(super) entries: Vec<Option<Entry>>,
    pub(super) generation: u64,
}
