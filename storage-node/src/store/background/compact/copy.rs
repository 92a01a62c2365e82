//! Emptying one volume: copies its live records, and writes the tombstones that are still needed again.

use std::collections::BTreeSet;
use std::fmt::Arguments;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{ScrubFinding, StorageError, StorageErrorKind};
use tokio::sync::oneshot;

use crate::disk_io::DiskFile;
use crate::format::{RecordHeader, Tombstone, VOLUME_DATA_START};
use crate::store::fault::classify;
use crate::store::options::{COMPACT_BATCH_BYTES, COMPACT_BATCH_RECORDS, WHOLE_BYTES_MAX};
use crate::store::records::{Damage, FileSource, Found, ReadError, RecordReader, Scan};
use crate::store::requests::LogRequest;
use crate::store::shared::Shared;
use crate::store::volume_files::volume_name;

/// Why a volume was not emptied.
pub(crate) enum Stop {
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

/// Empties one volume.
pub(crate) struct Copier<'a> {
    shared: &'a Shared,
    volume: u32,
    /// Whether the bound on the rate applies.
    is_paced: bool,
    /// Older volumes with records that only this volume keeps dead.
    covered: BTreeSet<u32>,
    /// Answers of the log that are awaited.
    batch: Vec<oneshot::Receiver<Result<(), StorageError>>>,
    batch_bytes: u64,
    /// A record was busy and has to wait for another pass.
    pub(crate) is_deferred: bool,
    /// A part of the volume cannot be read: a tombstone may lie there, so it stays.
    pub(crate) is_unread: bool,
    pub(crate) damaged: BTreeSet<ShardId>,
}

impl<'a> Copier<'a> {
    pub(crate) fn new(shared: &'a Shared, volume: u32, is_paced: bool) -> Self {
        let covered = shared.index.state().volumes.covered_by(volume);
        let (batch, damaged) = (Vec::new(), BTreeSet::new());
        Self { shared, volume, is_paced, covered, batch, batch_bytes: 0, is_deferred: false, is_unread: false, damaged }
    }

    /// Copies what the volume has, and waits until it is on stable storage.
    pub(crate) fn run(&mut self) -> Result<(), Stop> {
        let copied = self.copy_all();
        // What was begun is waited for, also after a failure.
        let flushed = self.flush();
        copied.and(flushed)
    }

    fn copy_all(&mut self) -> Result<(), Stop> {
        let disk = &self.shared.disk;
        let failed = |e: io::Error| Stop::Later(disk.io_error("reading a volume", &e));
        let file = disk.files.get(self.volume).map_err(failed)?;
        let mut scan = Scan::new(&file, &disk.identity, self.volume, VOLUME_DATA_START).map_err(failed)?;
        while let Some(found) = scan.next().map_err(failed)? {
            match found {
                Found::Shard(header) if self.lives_at(&header)? => self.copy_record(&header)?,
                Found::Tombstone(_, tombstone) if !self.covered.is_empty() => self.carry(tombstone)?,
                Found::Unread(_) => self.is_unread = true,
                Found::Shard(_) | Found::Tombstone(..) | Found::Unfinished(_) | Found::Gap(_) | Found::Remains(_) => {}
            }
        }
        Ok(())
    }

    fn lives_at(&self, header: &RecordHeader) -> Result<bool, StorageError> {
        self.shared.index.is_at(header.shard, header.place)
    }

    fn copy_record(&mut self, header: &RecordHeader) -> Result<(), Stop> {
        let bytes = header.record_bytes();
        let copied = if bytes <= WHOLE_BYTES_MAX {
            self.copy_whole(header)
        } else {
            self.flush()?;
            self.copy_stream(header)
        };
        match copied {
            Ok(()) => self.pace(bytes),
            Err(Uncopied::Failed(error)) if error.kind == StorageErrorKind::Busy => {
                self.is_deferred = true;
                Ok(())
            }
            Err(Uncopied::Failed(error)) => Err(Stop::Later(error)),
            // A record that died meanwhile is punched, which looks like damage.
            Err(Uncopied::Damaged(what)) if self.lives_at(header)? => {
                self.report(header.shard, format_args!("at {} of {}: {what}", header.place, self.shared.disk.path));
                self.damaged.insert(header.shard);
                Ok(())
            }
            Err(Uncopied::Damaged(_)) => Ok(()),
        }
    }

    fn file_of(&self, header: &RecordHeader) -> Result<Arc<dyn DiskFile>, StorageError> {
        let disk = &self.shared.disk;
        disk.files.get(header.place.volume).map_err(|e| disk.io_error("opening a volume", &e))
    }

    /// An unreadable sector counts as damage: the record must stay, and must be reported.
    fn unread(&self, error: ReadError<io::Error>) -> Uncopied {
        match error {
            ReadError::Damaged(damage) => Uncopied::Damaged(damage),
            ReadError::Source(e) if classify(&e) == StorageErrorKind::Failed => Uncopied::Damaged(Damage::Unreadable),
            ReadError::Source(e) => Uncopied::Failed(self.shared.disk.io_error("reading a record", &e)),
        }
    }

    fn copy_whole(&mut self, header: &RecordHeader) -> Result<(), Uncopied> {
        let file = self.file_of(header)?;
        let unread = |e| self.unread(e);
        let identity = &self.shared.disk.identity;
        let mut reader = RecordReader::open(identity, header, FileSource(&file)).map_err(unread)?;
        let mut body = Vec::with_capacity(header.body_bytes() as usize);
        while let Some(run) = reader.next_run().map_err(unread)? {
            body.extend_from_slice(&run);
        }
        let (shard, cells) = reader.end().map_err(unread)?;
        let (reply, answer) = oneshot::channel();
        let (body, cells) = (Bytes::from(body), Box::new(cells));
        self.send(LogRequest::Move { from: header.place, shard, body, cells, reply })?;
        self.batch.push(answer);
        self.batch_bytes += header.record_bytes();
        if self.batch_bytes >= COMPACT_BATCH_BYTES || self.batch.len() >= COMPACT_BATCH_RECORDS {
            self.flush().map_err(|stop| match stop {
                Stop::Later(error) => Uncopied::Failed(error),
                Stop::Closing => Uncopied::Failed(self.shared.disk.closing()),
            })?;
        }
        Ok(())
    }

    fn copy_stream(&self, header: &RecordHeader) -> Result<(), Uncopied> {
        let disk = &self.shared.disk;
        let file = self.file_of(header)?;
        let unread = |e| self.unread(e);
        let mut reader = RecordReader::open(&disk.identity, header, FileSource(&file)).map_err(unread)?;
        let (reply, answer) = oneshot::channel();
        self.send(LogRequest::OpenMove { from: header.place, shard: reader.shard(), reply })?;
        let region = answer.blocking_recv().unwrap_or_else(|_| Err(disk.closing()))?;
        let Some(region) = region else { return Ok(()) };
        let mut at = region.header().body_start();
        while let Some(run) = reader.next_run().map_err(unread)? {
            region.write(&[&run], at)?;
            at += run.len() as u64;
        }
        let (_, cells) = reader.end().map_err(unread)?;
        let (reply, answer) = oneshot::channel();
        region.finish_copy(&self.shared.syncs, header.place, &cells, reply)?;
        drop(region);
        answer.blocking_recv().unwrap_or_else(|_| Err(disk.closing()))?;
        Ok(())
    }

    fn carry(&mut self, tombstone: Tombstone) -> Result<(), Stop> {
        let (reply, answer) = oneshot::channel();
        self.send(LogRequest::Carry { tombstone, covered: self.covered.clone(), reply })?;
        self.batch.push(answer);
        if self.batch.len() >= COMPACT_BATCH_RECORDS { self.flush() } else { Ok(()) }
    }

    fn send(&self, request: LogRequest) -> Result<(), StorageError> {
        self.shared.log.push(request).map_err(|e| self.shared.disk.push_error(e))
    }

    /// Waits for everything that was sent to the log.
    fn flush(&mut self) -> Result<(), Stop> {
        self.batch_bytes = 0;
        let mut failure = None;
        for answer in self.batch.drain(..) {
            match answer.blocking_recv().unwrap_or_else(|_| Err(self.shared.disk.closing())) {
                Ok(()) => {}
                Err(error) if error.kind == StorageErrorKind::Busy => self.is_deferred = true,
                Err(error) => failure = Some(Stop::Later(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Rests for as long as `bytes` take at the bound on the rate.
    fn pace(&self, bytes: u64) -> Result<(), Stop> {
        let rate = self.shared.disk.options.compact_bytes_per_s_max;
        if !self.is_paced || rate == 0 {
            return Ok(());
        }
        let rest = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / rate);
        if self.shared.compaction.drain_for(rest, &mut Vec::new()) { Ok(()) } else { Err(Stop::Closing) }
    }

    /// Reports a damaged shard among the scrub's findings, so that it is remembered and repaired like them.
    fn report(&self, shard: ShardId, what: Arguments<'_>) {
        let detail = format!("{shard} {what}");
        tracing::error!(disk = %self.shared.disk.identity.disk, %shard, detail, "compaction came upon a bad shard");
        self.shared.scrub.note(ScrubFinding { shard, kind: ShardReportKind::Corrupt, detail });
    }

    /// Reports the live records that the scan did not find, because their headers are damaged. `left` is how many live
    /// records the volume still has.
    pub(crate) fn report_lost_headers(&self, left: u64) {
        if left <= self.damaged.len() as u64 {
            return;
        }
        let lost = self.shared.index.shards_at_checkpoint(self.volume);
        let (volume, path) = (volume_name(self.volume), &self.shared.disk.path);
        for shard in lost.into_iter().filter(|shard| !self.damaged.contains(shard)) {
            if self.is_here(shard) {
                self.report(shard, format_args!("in {volume} of {path}: its header does not verify"));
            }
        }
    }

    fn is_here(&self, shard: ShardId) -> bool {
        let entry = self.shared.index.locate(shard).ok().and_then(|located| located.entry);
        entry.is_some_and(|entry| entry.place.volume == self.volume)
    }
}
