//! One disk in service.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::cluster_map::DiskState;
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use cairn_core::limits::CELLS_PER_READ_MAX;
use cairn_core::shard::{ShardHeader, ShardId, split_body};
use cairn_core::sync::IgnorePoison;
use cairn_core::threads::{Join, Threads};
use cairn_protocol::storage::{DeleteOrder, ScrubFinding, ScrubStatus, ShardWriter, StorageError, StorageErrorKind};
use tokio::sync::oneshot;

use super::compact::Compactor;
use super::error::OpenError;
use super::log::{Log, LogRequest};
use super::maintenance::Maintenance;
use super::options::{ExpectedDisk, READ_THREADS, STREAM_THREADS, StoreDependencies, StoreOptions, WHOLE_BYTES_MAX};
use super::reader::{self, ReadRequest, Wanted};
use super::recovery::{Recovered, recover};
use super::scrub;
use super::shared::{EndOnPanic, Shared};
use super::stream::{self, StreamWriter, check_cells};
use super::sync;
use crate::format::{DESCRIPTOR_BYTES_MAX, Place, RecordHeader, TOMBSTONE_SHARDS_MAX};

/// A disk's store. Cheap to clone; the last clone that goes stops the threads.
#[derive(Clone)]
pub struct DiskStore {
    shared: Arc<Shared>,
    threads: Arc<RunningThreads>,
}

/// What a disk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes that the disk's files occupy, as the filesystem counts them.
    pub used_bytes: u64,
    /// Shards.
    pub shards: u64,
}

struct RunningThreads {
    shared: Arc<Shared>,
    running: Mutex<Vec<RunningThread>>,
}

struct RunningThread {
    name: &'static str,
    join: Join,
}

impl Drop for RunningThreads {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl DiskStore {
    /// Opens the disk and starts its threads. Blocks until the log is replayed.
    ///
    /// # Errors
    /// If the directory does not hold this disk, another process uses it, it cannot be read, or no thread can be started.
    pub fn open(
        expected: ExpectedDisk,
        options: StoreOptions,
        dependencies: &StoreDependencies,
    ) -> Result<Self, OpenError> {
        let path = expected.path.clone();
        let Recovered { shared, next_volume } = recover(expected, options, Arc::clone(&dependencies.clock))?;
        let shared = Arc::new(shared);
        let threads = RunningThreads { shared: Arc::clone(&shared), running: Mutex::default() };
        let store = Self { shared, threads: Arc::new(threads) };
        store.start(next_volume, dependencies.threads.as_ref()).map_err(|source| {
            let what = "starting a thread";
            OpenError::Io { path, what, source }
        })?;
        Ok(store)
    }

    fn start(&self, next_volume: u32, threads: &dyn Threads) -> std::io::Result<()> {
        let log = Log::new(Arc::clone(&self.shared), next_volume);
        self.spawn(threads, "disk-log", move |_| log.run())?;
        self.spawn(threads, "disk-sync", sync::run)?;
        for _ in 0..STREAM_THREADS {
            self.spawn(threads, "disk-stream", stream::run)?;
        }
        for _ in 0..READ_THREADS {
            self.spawn(threads, "disk-read", reader::run)?;
        }
        let maintenance = Maintenance::new(Arc::clone(&self.shared));
        self.spawn(threads, "disk-upkeep", move |_| maintenance.run())?;
        let compactor = Compactor::new(Arc::clone(&self.shared), true);
        self.spawn(threads, "disk-compact", move |_| compactor.run())?;
        self.spawn(threads, "disk-scrub", scrub::run)
    }

    fn spawn(
        &self,
        threads: &dyn Threads,
        name: &'static str,
        body: impl FnOnce(&Arc<Shared>) + Send + 'static,
    ) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let body = move || {
            let guard = EndOnPanic(shared);
            body(&guard.0);
        };
        let join = threads.spawn(name, Box::new(body))?;
        self.threads.running.lock().ignore_poison().push(RunningThread { name, join });
        Ok(())
    }

    /// The disk's id.
    pub fn id(&self) -> DiskId {
        self.shared.identity.disk
    }

    /// Stores a whole shard; returns once it is on stable storage (I1).
    pub async fn put_shard(&self, header: ShardHeader, cells: Vec<Cell>) -> Result<(), StorageError> {
        let record = self.check(&header)?;
        check_cells(&record, 0, &cells).map_err(|detail| self.invalid(detail))?;
        let (given, wanted) = (cells.len(), header.geometry.stripes());
        if given != wanted as usize {
            return Err(self.invalid(format!("{} has {given} of {wanted} cells", header.id)));
        }
        if record.record_bytes() > WHOLE_BYTES_MAX {
            let mut writer = self.open_shard(header).await?;
            writer.append(cells).await?;
            return writer.finish().await;
        }
        let memory = Arc::clone(&self.shared.write_bytes).try_acquire_many_owned(record.record_bytes() as u32);
        let memory = memory.map_err(|_| self.busy("too many bytes wait for this disk"))?;
        self.log(|reply| LogRequest::Put { header, cells, memory, reply }).await
    }

    /// Reserves space for a shard that arrives piece by piece.
    pub async fn open_shard(&self, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError> {
        self.check(&header)?;
        let admission = Arc::clone(&self.shared.open_streams).try_acquire_owned();
        let admission = admission.map_err(|_| self.busy("too many shards stream to this disk"))?;
        let slot = self.log(|reply| LogRequest::Open { header, admission, reply }).await?;
        Ok(Box::new(StreamWriter::new(Arc::clone(&self.shared), slot)))
    }

    /// Reads cells, without verifying them.
    pub async fn read_cells(
        &self,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Vec<Cell>, StorageError> {
        let body = self.read_body(shard, geometry, stripes.clone()).await?;
        split_body(&geometry, stripes, &body).ok_or_else(|| {
            let detail = format!("{shard} has {} bytes where its shape wants others", body.len());
            self.shared.error(StorageErrorKind::Corrupt, detail)
        })
    }

    /// Reads cells as they stand on disk, a checksum after each. What is in memory is read at once, everything else by
    /// the disk's threads.
    pub async fn read_body(
        &self,
        shard: ShardId,
        geometry: Geometry,
        stripes: Range<u32>,
    ) -> Result<Bytes, StorageError> {
        let sane = geometry.check().is_ok() && stripes.start <= stripes.end && stripes.end <= geometry.stripes();
        if !sane || stripes.end - stripes.start > CELLS_PER_READ_MAX {
            return Err(self.invalid(format!("there are no such cells of {shard}: {stripes:?} of {geometry:?}")));
        }
        let wanted = Wanted { shard, geometry, stripes };
        if let Some(body) = reader::read_cached(&self.shared, &wanted) {
            return Ok(body);
        }
        let (reply, answer) = oneshot::channel();
        self.shared.reads.push(ReadRequest::Cells { wanted, reply }).map_err(|e| self.shared.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(self.shared.closing()))
    }

    /// What a shard says of itself, after a check of its header.
    pub async fn describe_shard(&self, shard: ShardId) -> Result<ShardHeader, StorageError> {
        let (reply, answer) = oneshot::channel();
        let request = ReadRequest::Describe { shard, reply };
        self.shared.reads.push(request).map_err(|e| self.shared.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(self.shared.closing()))
    }

    /// Deletes shards; returns once the tombstones are on stable storage.
    pub async fn delete_shards(&self, order: DeleteOrder) -> Result<(), StorageError> {
        for shards in order.shards.chunks(TOMBSTONE_SHARDS_MAX) {
            let order = DeleteOrder { proof: order.proof, shards: shards.to_vec() };
            self.log(|reply| LogRequest::Delete { order, reply }).await?;
        }
        Ok(())
    }

    /// The shards after `after`, in the order of their ids, at most `limit`.
    pub async fn inventory(&self, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
        let (reply, answer) = oneshot::channel();
        let request = ReadRequest::Page { after, limit, reply };
        self.shared.reads.push(request).map_err(|e| self.shared.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(self.shared.closing()))
    }

    /// Whether the disk takes shards, and if not, why and what to do about it.
    pub fn state(&self) -> (DiskState, String) {
        if let Some(why) = self.shared.suspicion() {
            return (DiskState::Suspect, why.to_owned());
        }
        if let Some(stalled) = self.shared.stalled_for() {
            let (path, seconds) = (&self.shared.path, stalled.as_secs());
            let reason = format!("disk {path} has not come back from a write for {seconds} s: check the hardware");
            return (DiskState::Suspect, reason);
        }
        if self.shared.no_files_left.load(Ordering::Relaxed) {
            let path = &self.shared.path;
            return (DiskState::Full, format!("the filesystem of {path} can hold no more files: remove some"));
        }
        if self.shared.below_reserve.load(Ordering::Relaxed) {
            let (path, reserve) = (&self.shared.path, self.shared.options.reserve_bytes);
            let reason =
                format!("less than the reserve of {reserve} bytes is free at {path}: delete objects or add disks");
            return (DiskState::Full, reason);
        }
        (DiskState::Active, String::new())
    }

    /// Starts a scrub cycle now, as fast as scrubs may run; one that is under way goes on that fast.
    pub fn start_scrub(&self) {
        self.shared.scrub.request();
    }

    /// How far the scrub is.
    pub fn scrub_status(&self) -> ScrubStatus {
        self.shared.scrub.status(&self.shared)
    }

    /// Bad shards that the scrub found, or compaction came upon, and nobody has taken over yet, at most `limit`.
    pub fn unreported_findings(&self, limit: usize) -> Vec<ScrubFinding> {
        self.shared.scrub.unreported(limit)
    }

    /// The metadata service knows of these findings: they need not be remembered any longer.
    pub fn findings_reported(&self, findings: &[ScrubFinding]) {
        self.shared.scrub.reported(findings);
    }

    /// What the disk holds.
    pub fn usage(&self) -> DiskUsage {
        let used_bytes = self.shared.used_bytes.load(Ordering::Relaxed);
        DiskUsage { used_bytes, shards: self.shared.state().shards }
    }

    /// Takes the disk out of service: carries out what waits, syncs, writes a checkpoint. Blocks until that is done.
    pub fn close(&self) {
        // Each queue is closed when nobody can push into it any more.
        self.shared.compaction.close();
        self.join(&["disk-compact"]);
        self.shared.log.close();
        self.join(&["disk-log"]);
        self.shared.streams.close();
        self.join(&["disk-stream"]);
        self.shared.syncs.close();
        self.join(&["disk-sync"]);
        self.shared.close();
        self.join(&["disk-read", "disk-upkeep", "disk-scrub"]);
    }

    /// Writes a checkpoint of the index now.
    #[cfg(test)]
    pub(super) fn checkpoint(&self) {
        Maintenance::new(Arc::clone(&self.shared)).checkpoint();
    }

    /// Whether a part of the index is in memory alone.
    #[cfg(test)]
    pub(super) fn index_is_behind(&self) -> bool {
        self.shared.base.file.is_behind()
    }

    /// Makes the spare file, if it is missing, without waiting for the upkeep thread to come around.
    #[cfg(test)]
    pub(super) fn set_spare_aside(&self) {
        super::maintenance::punch(&self.shared);
        super::maintenance::set_spare_aside(&self.shared);
    }

    /// Compacts what is worth it, now and without a limit on the rate.
    #[cfg(test)]
    pub(super) fn compact(&self) {
        let mut compactor = Compactor::new(Arc::clone(&self.shared), false);
        // A thread of its own, as it would have: it waits for the log.
        std::thread::scope(|scope| scope.spawn(|| compactor.pass()).join()).unwrap_or_default();
    }

    /// Waits for the threads of these names. Their list stays locked meanwhile, so that a second `close` waits too.
    fn join(&self, names: &[&str]) {
        let mut running = self.threads.running.lock().ignore_poison();
        let (ending, rest): (Vec<_>, Vec<_>) = running.drain(..).partition(|thread| names.contains(&thread.name));
        *running = rest;
        for thread in ending {
            if (thread.join)().is_err() {
                tracing::error!(disk = %self.id(), "a disk thread panicked");
            }
        }
    }

    async fn log<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StorageError>>) -> LogRequest,
    ) -> Result<T, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.shared.log.push(request(reply)).map_err(|e| self.shared.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(self.shared.closing()))
    }

    fn check(&self, header: &ShardHeader) -> Result<RecordHeader, StorageError> {
        let (geometry, shard) = (&header.geometry, header.id);
        if let Err(error) = geometry.check() {
            return Err(self.invalid(format!("{shard} has an impossible shape: {error}")));
        }
        if geometry.length > cairn_core::limits::EXTENT_BYTES_MAX || shard.index >= geometry.total_shards() {
            return Err(self.invalid(format!("{shard} does not fit its shape {geometry:?}")));
        }
        if header.descriptor.len() > DESCRIPTOR_BYTES_MAX {
            return Err(self.invalid(format!("the descriptor of {shard} has {} bytes", header.descriptor.len())));
        }
        Ok(RecordHeader::of_shard(header, Place::default()))
    }

    fn invalid(&self, detail: String) -> StorageError {
        self.shared.error(StorageErrorKind::Invalid, detail)
    }

    fn busy(&self, detail: &str) -> StorageError {
        self.shared.error(StorageErrorKind::Busy, detail)
    }
}
