//! Compaction: copies what lives in sparse volumes to the end of the log, so that their files can go. Runs beside
//! everything else, at a bounded rate.
//!
//! - A copy counts only if its shard still lies where the copy was made from when the copy is on stable storage. It is
//!   not even begun while the shard is being written or deleted: a copy stands later in the log than what was under
//!   way before it, and would overrule it.
//! - Every cell is verified on the way. A record that is not whole is never dropped: it stays where it is, its volume
//!   stays with it, and it is reported.
//! - Tombstones that still keep records in older volumes dead are written again. Volumes that kept something dead by
//!   way of this one inherit what this one kept dead.
//!
//! A crash at any moment leaves the old record, the copy, or both; the later place counts, and both are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{ScrubFinding, StorageError, StorageErrorKind};
use tokio::sync::oneshot;

use super::fault::classify;
use super::log::LogRequest;
use super::options::{COMPACT_BATCH_BYTES, COMPACT_BATCH_RECORDS, SMALL_VOLUMES_MAX, WHOLE_BYTES_MAX};
use super::scan::{Found, Scan};
use super::shared::Shared;
use super::verify::{Damage, FileSource, ReadError, RecordReader};
use super::volume_files::volume_name;
use crate::disk_io::DiskFile;
use crate::format::{Place, RecordHeader, Tombstone, VOLUME_DATA_START};

/// The compaction thread's own state.
pub(super) struct Compactor {
    shared: Arc<Shared>,
    /// Volumes that hold something which cannot be copied, and how many live records they had when that was found.
    stuck: BTreeMap<u32, u64>,
    /// Whether to keep to the rate.
    is_paced: bool,
}

/// Why a volume was not emptied.
enum Stop {
    /// The disk is going out of service.
    Closing,
    /// Not now: the disk is full, busy or suspect.
    Later(StorageError),
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Later(error)
    }
}

/// Why a record was not copied.
enum Uncopied {
    /// It is not what was stored.
    Damaged(Damage),
    /// The disk or the process failed, which says nothing about the record.
    Failed(StorageError),
}

impl From<StorageError> for Uncopied {
    fn from(error: StorageError) -> Self {
        Self::Failed(error)
    }
}

/// What one volume's compaction has to remember.
struct Work {
    volume: u32,
    /// Older volumes with records that only this one keeps dead.
    covered: BTreeSet<u32>,
    batch: Vec<oneshot::Receiver<Result<(), StorageError>>>,
    batch_bytes: u64,
    /// Something has to wait for another time.
    is_deferred: bool,
    damaged: BTreeSet<ShardId>,
}

impl Compactor {
    pub(super) fn new(shared: Arc<Shared>, is_paced: bool) -> Self {
        Self { shared, stuck: BTreeMap::new(), is_paced }
    }

    /// Runs until the disk goes out of service.
    pub(super) fn run(mut self) {
        let interval = self.shared.options.compact_interval;
        while self.wait(interval) {
            if self.shared.options.compact_bytes_per_s_max > 0 {
                self.pass();
            }
        }
    }

    /// Waits; false once the disk is going out of service.
    fn wait(&self, time: Duration) -> bool {
        self.shared.compaction.drain_for(time, &mut Vec::new())
    }

    /// Compacts each volume that is worth it, once.
    pub(super) fn pass(&mut self) {
        let mut seen = BTreeSet::new();
        while let Some(volume) = self.next_volume(&seen) {
            seen.insert(volume);
            match self.compact(volume) {
                Ok(()) => {}
                Err(Stop::Closing) => return,
                Err(Stop::Later(error)) => {
                    tracing::debug!(disk = %self.shared.identity.disk, volume, %error, "compaction waits");
                    return;
                }
            }
        }
    }

    /// The volume with the least in it, of those that are sparse; else the smallest, where there are many small ones.
    fn next_volume(&mut self, seen: &BTreeSet<u32>) -> Option<u32> {
        if self.shared.suspicion().is_some() {
            return None;
        }
        let options = &self.shared.options;
        let state = self.shared.state();
        self.stuck.retain(|volume, live| state.volumes.get(*volume).is_some_and(|v| v.live_records == *live));
        let mut candidates = Vec::new();
        for (number, volume) in state.volumes.iter() {
            let is_free = state.is_sealed(number) && !state.volumes.is_dead(number);
            if !is_free || seen.contains(&number) || self.stuck.contains_key(&number) {
                continue;
            }
            let tombstones = if state.volumes.covered_by(number).is_empty() { 0 } else { volume.tombstone_bytes };
            candidates.push((number, volume.live_bytes + tombstones, volume.data_bytes()));
        }
        let is_sparse = |kept: u64, data: u64| kept * 100 <= data * u64::from(100 - options.compact_dead_percent);
        let sparse = candidates.iter().filter(|(_, kept, data)| is_sparse(*kept, *data));
        let sparsest = sparse.min_by_key(|(_, kept, data)| kept * 1000 / data.max(&1));
        let small = || {
            let small: Vec<_> = candidates.iter().filter(|(_, _, data)| *data < options.volume_bytes / 16).collect();
            let too_many = small.len() + seen.len() > SMALL_VOLUMES_MAX;
            small.into_iter().filter(|_| too_many).min_by_key(|(_, kept, _)| *kept)
        };
        sparsest.or_else(small).map(|(number, ..)| *number)
    }

    fn compact(&mut self, volume: u32) -> Result<(), Stop> {
        let covered = self.shared.state().volumes.covered_by(volume);
        let (batch, damaged) = (Vec::new(), BTreeSet::new());
        let mut work = Work { volume, covered, batch, batch_bytes: 0, is_deferred: false, damaged };
        let copied = self.copy(&mut work);
        // Whatever was begun is waited for, also after a failure.
        let flushed = self.flush(&mut work);
        copied.and(flushed)?;
        let mut state = self.shared.state();
        let left = state.volumes.get(volume).map_or(0, |v| v.live_records);
        if left == 0 && !work.is_deferred && work.damaged.is_empty() {
            state.volumes.retire(volume);
            drop(state);
            tracing::debug!(disk = %self.shared.identity.disk, volume, "compacted");
            let _ = self.shared.upkeep.push(());
            return Ok(());
        }
        drop(state);
        if !work.is_deferred {
            self.report_lost_headers(&work, left);
            self.stuck.insert(volume, left);
        }
        Ok(())
    }

    fn copy(&self, work: &mut Work) -> Result<(), Stop> {
        let shared = &self.shared;
        let failed = |e: std::io::Error| Stop::Later(shared.io_error("reading a volume", &e));
        let file = shared.files.get(work.volume).map_err(failed)?;
        let mut scan = Scan::new(&file, &shared.identity, work.volume, VOLUME_DATA_START).map_err(failed)?;
        while let Some(found) = scan.next().map_err(failed)? {
            match found {
                Found::Shard(header) if self.lives_at(&header)? => self.copy_record(work, &header)?,
                Found::Tombstone(_, tombstone) if !work.covered.is_empty() => self.carry(work, tombstone)?,
                Found::Shard(_) | Found::Tombstone(..) | Found::Unfinished(_) | Found::Gap(_) => {}
            }
        }
        Ok(())
    }

    fn lives_at(&self, header: &RecordHeader) -> Result<bool, StorageError> {
        let located = self.shared.locate(&[header.shard])?;
        Ok(located.entries.first().copied().flatten().is_some_and(|entry| entry.place == header.place))
    }

    fn copy_record(&self, work: &mut Work, header: &RecordHeader) -> Result<(), Stop> {
        let bytes = header.record_bytes();
        let copied = if bytes <= WHOLE_BYTES_MAX {
            self.copy_whole(work, header)
        } else {
            self.flush(work)?;
            self.copy_stream(header)
        };
        match copied {
            Ok(()) => self.pace(bytes),
            Err(Uncopied::Failed(error)) if error.kind == StorageErrorKind::Busy => {
                work.is_deferred = true;
                Ok(())
            }
            Err(Uncopied::Failed(error)) => Err(Stop::Later(error)),
            // A record that died meanwhile is punched, which looks like damage.
            Err(Uncopied::Damaged(what)) if self.lives_at(header)? => {
                self.report(header.shard, format_args!("at {} of {}: {what}", header.place, self.shared.path));
                work.damaged.insert(header.shard);
                Ok(())
            }
            Err(Uncopied::Damaged(_)) => Ok(()),
        }
    }

    fn file_of(&self, header: &RecordHeader) -> Result<Arc<dyn DiskFile>, StorageError> {
        self.shared.files.get(header.place.volume).map_err(|e| self.shared.io_error("opening a volume", &e))
    }

    /// A sector that cannot be read is as good as a wrong one: the record must stay, and somebody must hear of it.
    fn unread(&self, error: ReadError<std::io::Error>) -> Uncopied {
        match error {
            ReadError::Damaged(damage) => Uncopied::Damaged(damage),
            ReadError::Source(e) if classify(&e) == StorageErrorKind::Failed => Uncopied::Damaged(Damage::Unreadable),
            ReadError::Source(e) => Uncopied::Failed(self.shared.io_error("reading a record", &e)),
        }
    }

    fn copy_whole(&self, work: &mut Work, header: &RecordHeader) -> Result<(), Uncopied> {
        let file = self.file_of(header)?;
        let unread = |e| self.unread(e);
        let mut reader = RecordReader::open(&self.shared.identity, header, FileSource(&file)).map_err(unread)?;
        let mut body = Vec::with_capacity(header.body_bytes() as usize);
        while let Some(run) = reader.next_run().map_err(unread)? {
            body.extend_from_slice(&run);
        }
        let (shard, cells) = reader.end().map_err(unread)?;
        let (reply, answer) = oneshot::channel();
        let request =
            LogRequest::Move { from: header.place, shard, body: Bytes::from(body), cells: Box::new(cells), reply };
        self.shared.log.push(request).map_err(|e| self.shared.push_error(e))?;
        work.batch.push(answer);
        work.batch_bytes += header.record_bytes();
        if work.batch_bytes >= COMPACT_BATCH_BYTES || work.batch.len() >= COMPACT_BATCH_RECORDS {
            self.flush(work).map_err(|stop| match stop {
                Stop::Later(error) => Uncopied::Failed(error),
                Stop::Closing => Uncopied::Failed(self.shared.closing()),
            })?;
        }
        Ok(())
    }

    fn copy_stream(&self, header: &RecordHeader) -> Result<(), Uncopied> {
        let shared = &self.shared;
        let file = self.file_of(header)?;
        let unread = |e| self.unread(e);
        let mut reader = RecordReader::open(&shared.identity, header, FileSource(&file)).map_err(unread)?;
        let (reply, answer) = oneshot::channel();
        let request = LogRequest::OpenMove { from: header.place, shard: reader.shard(), reply };
        shared.log.push(request).map_err(|e| shared.push_error(e))?;
        let slot = answer.blocking_recv().unwrap_or_else(|_| Err(shared.closing()))?;
        let Some(slot) = slot else { return Ok(()) };
        let mut at = slot.header().body_start();
        while let Some(run) = reader.next_run().map_err(unread)? {
            slot.write(&[&run], at)?;
            at += run.len() as u64;
        }
        let (_, cells) = reader.end().map_err(unread)?;
        let (reply, answer) = oneshot::channel();
        slot.finish_copy(header.place, &cells, reply)?;
        drop(slot);
        answer.blocking_recv().unwrap_or_else(|_| Err(shared.closing()))?;
        Ok(())
    }

    fn carry(&self, work: &mut Work, tombstone: Tombstone) -> Result<(), Stop> {
        let (reply, answer) = oneshot::channel();
        let request = LogRequest::Carry { tombstone, covered: work.covered.clone(), reply };
        self.shared.log.push(request).map_err(|e| self.shared.push_error(e))?;
        work.batch.push(answer);
        if work.batch.len() >= COMPACT_BATCH_RECORDS { self.flush(work) } else { Ok(()) }
    }

    /// Waits for everything that was handed to the log.
    fn flush(&self, work: &mut Work) -> Result<(), Stop> {
        work.batch_bytes = 0;
        let mut failure = None;
        for answer in work.batch.drain(..) {
            match answer.blocking_recv().unwrap_or_else(|_| Err(self.shared.closing())) {
                Ok(()) => {}
                Err(error) if error.kind == StorageErrorKind::Busy => work.is_deferred = true,
                Err(error) => failure = Some(Stop::Later(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Keeps to the rate: rests for as long as `bytes` may take.
    fn pace(&self, bytes: u64) -> Result<(), Stop> {
        let rate = self.shared.options.compact_bytes_per_s_max;
        if !self.is_paced || rate == 0 {
            return Ok(());
        }
        let rest = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / rate);
        if self.wait(rest) { Ok(()) } else { Err(Stop::Closing) }
    }

    /// Notes a damaged shard where the scrub notes its findings, so that it is remembered and repaired like them.
    fn report(&self, shard: ShardId, what: std::fmt::Arguments<'_>) {
        let detail = format!("{shard} {what}");
        tracing::error!(disk = %self.shared.identity.disk, %shard, detail, "compaction came upon a bad shard");
        self.shared.scrub.note(ScrubFinding { shard, kind: ShardReportKind::Corrupt, detail });
    }

    /// Live records that the walk through the volume did not even find: their headers are damaged.
    fn report_lost_headers(&self, work: &Work, left: u64) {
        if left <= work.damaged.len() as u64 {
            return;
        }
        let lost = self.shared.base.shards_in(work.volume).unwrap_or_default();
        let (volume, path) = (volume_name(work.volume), &self.shared.path);
        for shard in lost.into_iter().filter(|shard| !work.damaged.contains(shard)) {
            if self.is_in(shard, work.volume) {
                self.report(shard, format_args!("in {volume} of {path}: its header does not verify"));
            }
        }
    }

    fn is_in(&self, shard: ShardId, volume: u32) -> bool {
        let located = self.shared.locate(&[shard]);
        let place: Option<Place> = located.ok().and_then(|l| l.entries.first().copied().flatten()).map(|e| e.place);
        place.is_some_and(|place| place.volume == volume)
    }
}
