//! One disk in service.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use cairn_core::limits::CELLS_PER_READ_MAX;
use cairn_core::shard::{ShardHeader, ShardId, split_body};
use cairn_core::sync::IgnorePoison;
use cairn_core::threads::{Join, Threads};
use cairn_protocol::storage::{DeleteOrder, ScrubFinding, ScrubStatus, ShardWriter, StorageError, StorageErrorKind};
use tokio::sync::{Semaphore, oneshot};

use super::background::{Compactor, Maintenance, run_scrub};
use super::disk::DiskCondition;
use super::error::OpenError;
use super::log::{LogWriter, StreamWriter, check_cells, stream, sync};
use super::opening::{OpenedStore, open};
use super::options::{
    ExpectedDisk, READ_THREADS, STREAM_THREADS, STREAMS_MAX, StoreDependencies, StoreOptions, WHOLE_BYTES_MAX,
    WRITE_BYTES_MAX,
};
use super::queue::Queue;
use super::read;
use super::requests::{LogRequest, ReadRequest, Reply, WantedCells};
use super::shared::{EndOnPanic, Shared};
use crate::format::{DESCRIPTOR_BYTES_MAX, Place, RecordHeader, TOMBSTONE_SHARDS_MAX};

/// A disk's store. Cheap to clone; the threads stop when the last clone is dropped.
#[derive(Clone)]
pub struct DiskStore {
    shared: Arc<Shared>,
    threads: Arc<RunningThreads>,
    /// Bytes of shards that may be in memory.
    write_bytes: Arc<Semaphore>,
    /// Shards that may stream in.
    open_streams: Arc<Semaphore>,
}

/// What a disk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes that the disk's files occupy, as the filesystem counts them.
    pub used_bytes: u64,
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
        let opened = open(expected, options, Arc::clone(&dependencies.clock))?;
        let OpenedStore { disk, index, next_volume, findings } = opened;
        let shared = Arc::new(Shared::new(disk, index));
        for finding in findings {
            shared.scrub.note(finding);
        }
        let threads = RunningThreads { shared: Arc::clone(&shared), running: Mutex::default() };
        let store = Self {
            shared,
            threads: Arc::new(threads),
            write_bytes: Arc::new(Semaphore::new(WRITE_BYTES_MAX)),
            open_streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        };
        store.start(next_volume, dependencies.threads.as_ref()).map_err(|source| {
            let what = "starting a thread";
            OpenError::Io { path, what, source }
        })?;
        Ok(store)
    }

    fn start(&self, next_volume: u32, threads: &dyn Threads) -> std::io::Result<()> {
        let log = LogWriter::new(Arc::clone(&self.shared), next_volume);
        self.spawn(threads, "disk-log", move |_| log.run())?;
        self.spawn(threads, "disk-sync", sync::run)?;
        for _ in 0..STREAM_THREADS {
            self.spawn(threads, "disk-stream", stream::run)?;
        }
        for _ in 0..READ_THREADS {
            self.spawn(threads, "disk-read", read::run)?;
        }
        let maintenance = self.maintenance();
        self.spawn(threads, "disk-upkeep", move |_| maintenance.run())?;
        let compactor = Compactor::new(Arc::clone(&self.shared), true);
        self.spawn(threads, "disk-compact", move |_| compactor.run())?;
        self.spawn(threads, "disk-scrub", run_scrub)
    }

    fn maintenance(&self) -> Maintenance {
        Maintenance::new(Arc::clone(&self.shared.disk), Arc::clone(&self.shared.index))
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

    pub fn id(&self) -> DiskId {
        self.shared.disk.identity.disk
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
        let memory = Arc::clone(&self.write_bytes).try_acquire_many_owned(record.record_bytes() as u32);
        let memory = memory.map_err(|_| self.busy("too many bytes wait for this disk"))?;
        self.ask(&self.shared.log, |reply| LogRequest::Put { header, cells, memory, reply }).await
    }

    /// Reserves space for a shard that streams in.
    pub async fn open_shard(&self, header: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError> {
        self.check(&header)?;
        let admission = Arc::clone(&self.open_streams).try_acquire_owned();
        let admission = admission.map_err(|_| self.busy("too many shards stream to this disk"))?;
        let region = self.ask(&self.shared.log, |reply| LogRequest::Open { header, admission, reply }).await?;
        Ok(Box::new(StreamWriter::new(Arc::clone(&self.shared), Arc::clone(&self.write_bytes), region)))
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
            self.shared.disk.error(StorageErrorKind::Corrupt, detail)
        })
    }

    /// Reads cells as they are on disk, a checksum after each. What is in memory is read at once, everything else by the
    /// disk's threads.
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
        let wanted = WantedCells { shard, geometry, stripes };
        if let Some(body) = read::read_cached(&self.shared.disk, &self.shared.index, &wanted) {
            return Ok(body);
        }
        self.ask(&self.shared.reads, |reply| ReadRequest::Cells { wanted, reply }).await
    }

    /// Reads a shard's header and descriptor, and verifies them.
    pub async fn describe_shard(&self, shard: ShardId) -> Result<ShardHeader, StorageError> {
        self.ask(&self.shared.reads, |reply| ReadRequest::Describe { shard, reply }).await
    }

    /// Deletes shards; returns once the tombstones are on stable storage.
    pub async fn delete_shards(&self, order: DeleteOrder) -> Result<(), StorageError> {
        for shards in order.shards.chunks(TOMBSTONE_SHARDS_MAX) {
            let order = DeleteOrder { proof: order.proof, shards: shards.to_vec() };
            self.ask(&self.shared.log, |reply| LogRequest::Delete { order, reply }).await?;
        }
        Ok(())
    }

    /// The shards after `after` in the order of their ids, at most `limit`.
    pub async fn inventory(&self, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
        self.ask(&self.shared.reads, |reply| ReadRequest::Page { after, limit, reply }).await
    }

    /// Whether the disk takes shards, and if not, why and what to do about it.
    pub fn condition(&self) -> DiskCondition {
        let condition = self.shared.disk.condition();
        if !condition.reason.is_empty() || !self.is_in_doubt() {
            return condition;
        }
        let reason = format!(
            "the log of {} has bytes that are no record, or its index was made again, so a shard may be missing: all are \
             compared with the metadata service",
            self.shared.disk.path
        );
        DiskCondition { reason, ..condition }
    }

    /// Whether a shard may be missing, or a deleted one be back, without the disk knowing which: metadata has to be compared
    /// with its inventory.
    pub fn is_in_doubt(&self) -> bool {
        self.shared.index.state().is_in_doubt()
    }

    /// The disk's inventory, as it has been since it was taken into service, was compared with metadata.
    pub fn end_doubt(&self) {
        self.shared.index.state().set_doubt(false);
        self.shared.index.wake_upkeep();
    }

    /// Starts a scrub cycle now, at the highest rate that scrubs may have; a running cycle continues at that rate.
    pub fn start_scrub(&self) {
        self.shared.scrub.request();
    }

    /// How far the scrub is, and what it found.
    pub fn scrub_status(&self) -> ScrubStatus {
        self.shared.scrub.status(self.used_bytes())
    }

    /// Bad shards that the scrub or compaction found and that are not reported yet, at most `limit`.
    pub fn unreported_findings(&self, limit: usize) -> Vec<ScrubFinding> {
        self.shared.scrub.unreported(limit)
    }

    /// The metadata service has taken these findings: they are forgotten.
    pub fn findings_reported(&self, findings: &[ScrubFinding]) {
        self.shared.scrub.reported(findings);
    }

    /// What the disk holds.
    pub fn usage(&self) -> DiskUsage {
        DiskUsage { used_bytes: self.used_bytes(), shards: self.shared.index.state().shards }
    }

    fn used_bytes(&self) -> u64 {
        self.shared.disk.health.used_bytes.load(Ordering::Relaxed)
    }

    /// Takes the disk out of service: carries out the requests that wait, syncs, writes a checkpoint. Blocks until then.
    pub fn close(&self) {
        // Each queue is closed once nobody can push into it any more.
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
    pub(crate) fn checkpoint(&self) {
        self.maintenance().checkpoint();
    }

    /// Whether a part of the index is only in memory.
    #[cfg(test)]
    pub(crate) fn index_is_behind(&self) -> bool {
        self.shared.index.is_behind()
    }

    /// Makes the spare file, if it is missing, without waiting for the maintenance thread.
    #[cfg(test)]
    pub(crate) fn make_spare(&self) {
        super::space::punch(&self.shared.disk, &self.shared.index);
        super::space::make_spare(&self.shared.disk);
    }

    /// Compacts all volumes that are worth it, now and without a bound on the rate.
    #[cfg(test)]
    pub(crate) fn compact(&self) {
        let mut compactor = Compactor::new(Arc::clone(&self.shared), false);
        // On a thread of its own, because it blocks on the log.
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

    /// Queues a request and waits for its answer.
    async fn ask<R, T>(&self, queue: &Queue<R>, request: impl FnOnce(Reply<T>) -> R) -> Result<T, StorageError> {
        let (reply, answer) = oneshot::channel();
        queue.push(request(reply)).map_err(|e| self.shared.disk.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(self.shared.disk.closing()))
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
        self.shared.disk.error(StorageErrorKind::Invalid, detail)
    }

    fn busy(&self, detail: &str) -> StorageError {
        self.shared.disk.error(StorageErrorKind::Busy, detail)
    }
}
