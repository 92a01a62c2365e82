//! The log thread: the only one that hands out space, and the one that writes every record header before the next is
//! handed out. So one sync, whichever record it is for, also brings every earlier header to stable storage, and
//! recovery can walk from header to header up to the last record that was ever acknowledged.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cairn_core::cell::Cell;
use cairn_core::clock::Clock;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{DeleteOrder, StorageError, StorageErrorKind};
use tokio::sync::OwnedSemaphorePermit;

use super::entry::Entry;
use super::options::GROUP_BYTES_MAX;
use super::shared::{ActiveVolume, Reply, Shared};
use super::stream::StreamSlot;
use super::sync::{Ack, Change};
use super::volume_files::volume_name;
use crate::format::{BlockKind, Footer, IdentityBlock, Place, RecordHeader, Tombstone, VOLUME_DATA_START};

/// What the log thread is asked to do.
pub(super) enum LogRequest {
    /// Write a whole shard.
    Put {
        header: ShardHeader,
        cells: Vec<Cell>,
        /// Held until the bytes are with the kernel.
        memory: OwnedSemaphorePermit,
        reply: Reply<()>,
    },
    /// Reserve space for a shard and write its header.
    Open { header: ShardHeader, admission: OwnedSemaphorePermit, reply: Reply<StreamSlot> },
    /// Write a tombstone for at most [`crate::format::TOMBSTONE_SHARDS_MAX`] shards.
    Delete { order: DeleteOrder, reply: Reply<()> },
}

/// What becomes of a record once it is written.
enum Next {
    Sync(Change, Reply<()>),
    Stream { admission: OwnedSemaphorePermit, header_checksum: [u8; 32], reply: Reply<StreamSlot> },
}

/// A record in the group that is being gathered.
struct Pending {
    header: RecordHeader,
    next: Next,
    memory: Option<OwnedSemaphorePermit>,
}

/// Bytes that go to one place of the volume, and the records in them.
struct Run {
    offset: u64,
    bytes: Range<usize>,
    records: Vec<Pending>,
}

/// The log thread's own state.
pub(super) struct Log {
    shared: Arc<Shared>,
    volume: Option<Arc<ActiveVolume>>,
    next_volume: u32,
    clock: Arc<dyn Clock>,
    buffer: Vec<u8>,
    runs: Vec<Run>,
    /// Bytes that were free when the group that is being gathered began; looking costs two system calls.
    free_bytes: Option<u64>,
}

impl Log {
    /// A log that begins with volume `next_volume`.
    pub(super) fn new(shared: Arc<Shared>, next_volume: u32, clock: Arc<dyn Clock>) -> Self {
        Self { shared, volume: None, next_volume, clock, buffer: Vec::new(), runs: Vec::new(), free_bytes: None }
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut requests = Vec::new();
        while self.shared.log.drain(256, &mut requests) {
            for request in requests.drain(..) {
                self.take(request);
                if self.buffer.len() >= GROUP_BYTES_MAX {
                    self.write_group();
                }
            }
            self.write_group();
        }
    }

    fn take(&mut self, request: LogRequest) {
        match request {
            LogRequest::Put { header, cells, memory, reply } => {
                if let Err((error, reply)) = self.put(&header, &cells, memory, reply) {
                    let _ = reply.send(Err(error));
                }
            }
            LogRequest::Open { header, admission, reply } => {
                if let Err((error, reply)) = self.open(&header, admission, reply) {
                    let _ = reply.send(Err(error));
                }
            }
            LogRequest::Delete { order, reply } => self.delete(order, reply),
        }
    }

    fn put(
        &mut self,
        shard: &ShardHeader,
        cells: &[Cell],
        memory: OwnedSemaphorePermit,
        reply: Reply<()>,
    ) -> Result<(), (StorageError, Reply<()>)> {
        let located = self.shared.locate(&[shard.id]);
        let header = RecordHeader::of_shard(shard, Place::default());
        let admitted = located.and_then(|located| {
            let volume = self.admit(header.record_bytes())?;
            Ok((located, volume))
        });
        let (located, volume) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return Err((error, reply)),
        };
        let (header, checksum) = self.begin_record(header, Some(shard.id), &shard.descriptor, &volume);
        let mut footer = Footer::new();
        for cell in cells {
            footer.add(&cell.checksum);
            self.buffer.extend_from_slice(&cell.data);
            self.buffer.extend_from_slice(&cell.checksum.0);
        }
        let earlier = located.entries.first().copied().flatten();
        let change =
            Change::Put { shard: shard.id, entry: Entry::of(&header), earlier, generation: located.generation };
        self.end_record(header, &footer.encode(&volume.key, &checksum), Next::Sync(change, reply), Some(memory));
        Ok(())
    }

    fn open(
        &mut self,
        shard: &ShardHeader,
        admission: OwnedSemaphorePermit,
        reply: Reply<StreamSlot>,
    ) -> Result<(), (StorageError, Reply<StreamSlot>)> {
        let header = RecordHeader::of_shard(shard, Place::default());
        let volume = match self.admit(header.record_bytes()) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        // The region gets its blocks now, so that a full disk shows before the first cell is sent.
        let tail = self.shared.state().tail.offset;
        if let Err(error) = volume.file.allocate(tail, header.record_bytes()) {
            return Err((self.shared.write_error(&volume, "reserving space", &error), reply));
        }
        self.free_bytes = None;
        let (header, header_checksum) = self.begin_record(header, Some(shard.id), &shard.descriptor, &volume);
        if let Some(run) = self.runs.last_mut() {
            run.bytes.end = self.buffer.len();
            run.records.push(Pending {
                header,
                next: Next::Stream { admission, header_checksum, reply },
                memory: None,
            });
        }
        Ok(())
    }

    fn delete(&mut self, order: DeleteOrder, reply: Reply<()>) {
        let wanted: BTreeSet<ShardId> = order.shards.iter().copied().collect();
        let all: Vec<ShardId> = wanted.iter().copied().collect();
        let located = match self.shared.locate(&all) {
            Ok(located) => located,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let being_written = self.shared.state().being_written(&wanted);
        let there = all.into_iter().zip(located.entries);
        let there: Vec<(ShardId, Option<Entry>)> =
            there.filter(|(shard, entry)| entry.is_some() || being_written.contains(shard)).collect();
        if there.is_empty() {
            return drop(reply.send(Ok(())));
        }
        let list = Tombstone { proof: order.proof, shards: there.iter().map(|(shard, _)| *shard).collect() }.encode();
        let header = RecordHeader::of_tombstone(list.len() as u32, Place::default());
        let volume = match self.volume_for(header.record_bytes()) {
            Ok(volume) => volume,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let (header, checksum) = self.begin_record(header, None, &list, &volume);
        let change = Change::Delete { place: header.place, shards: there, generation: located.generation };
        self.end_record(header, &Footer::new().encode(&volume.key, &checksum), Next::Sync(change, reply), None);
    }

    /// Starts a record at the tail: reserves its space and appends header and descriptor to the group.
    fn begin_record(
        &mut self,
        header: RecordHeader,
        shard: Option<ShardId>,
        descriptor: &[u8],
        volume: &ActiveVolume,
    ) -> (RecordHeader, [u8; 32]) {
        let place = self.shared.state().reserve(header.record_bytes(), shard);
        let header = RecordHeader { place, ..header };
        let start = self.buffer.len();
        let continues = self.runs.last().is_some_and(|run| run.offset + run.bytes.len() as u64 == place.offset);
        if !continues {
            self.runs.push(Run { offset: place.offset, bytes: start..start, records: Vec::new() });
        }
        let checksum = header.encode(&self.shared.identity, &volume.key, descriptor, &mut self.buffer);
        (header, checksum)
    }

    /// Ends a record whose bytes are all in the group.
    fn end_record(&mut self, header: RecordHeader, footer: &[u8], next: Next, memory: Option<OwnedSemaphorePermit>) {
        self.buffer.extend_from_slice(footer);
        if let Some(run) = self.runs.last_mut() {
            let end = run.bytes.start as u64 + (header.place.offset - run.offset) + header.record_bytes();
            self.buffer.resize(end as usize, 0);
            run.bytes.end = end as usize;
            run.records.push(Pending { header, next, memory });
        }
    }

    /// Whether a shard's record may be written at all, and to which volume.
    fn admit(&mut self, bytes: u64) -> Result<Arc<ActiveVolume>, StorageError> {
        let free = match self.free_bytes {
            Some(free) => free,
            None => self.look_at_space()?,
        };
        // What is gathered is not yet with the filesystem.
        let wanted = self.shared.options.reserve_bytes + bytes + self.buffer.len() as u64;
        if free < wanted {
            let reserve = self.shared.options.reserve_bytes;
            self.shared.below_reserve.store(true, Ordering::Relaxed);
            let detail = format!("{free} bytes are free, {bytes} more would cut into the reserve of {reserve} bytes");
            return Err(self.shared.error(StorageErrorKind::Full, detail));
        }
        self.volume_for(bytes)
    }

    fn look_at_space(&mut self) -> Result<u64, StorageError> {
        let space = self.shared.io.space().map_err(|e| self.shared.io_error("looking at the free space", &e))?;
        self.free_bytes = Some(space.available_bytes);
        Ok(space.available_bytes)
    }

    /// The volume that a record of `bytes` goes to: the current one, or a new one if that is full or poisoned.
    fn volume_for(&mut self, bytes: u64) -> Result<Arc<ActiveVolume>, StorageError> {
        if let Some(why) = self.shared.suspicion() {
            return Err(self.shared.error(StorageErrorKind::Failed, why));
        }
        let tail = self.shared.state().tail;
        if let Some(volume) = &self.volume {
            let fits = tail.offset + bytes <= self.shared.options.volume_bytes || tail.offset == VOLUME_DATA_START;
            if fits && !volume.is_poisoned() {
                return Ok(Arc::clone(volume));
            }
        }
        self.write_group();
        let number = self.next_volume;
        let block = IdentityBlock { identity: self.shared.identity, created_ms: self.clock.now_ms() };
        // A number is not tried again: a file that could not be made whole keeps its name.
        self.next_volume += 1;
        let header = block.encode(BlockKind::Volume(number));
        let file = match self.shared.io.create_volume(&volume_name(number), &header) {
            Ok(file) => file,
            Err(error) => {
                // An empty file would only puzzle the next start.
                let _ = self.shared.io.remove_volume(&volume_name(number));
                return Err(self.shared.suspect("making a new volume", &error));
            }
        };
        self.shared.files.add(number, Arc::clone(&file));
        self.shared.state().begin_volume(number);
        let key = self.shared.identity.volume_key(number);
        let volume = Arc::new(ActiveVolume { number, file, key, poisoned: false.into() });
        self.volume = Some(Arc::clone(&volume));
        Ok(volume)
    }

    /// Writes what was gathered and passes every record on.
    fn write_group(&mut self) {
        self.free_bytes = None;
        let Some(volume) = self.volume.clone() else { return };
        let mut failure: Option<StorageError> = None;
        let shared = Arc::clone(&self.shared);
        let _under_way = shared.writing();
        for run in std::mem::take(&mut self.runs) {
            let bytes = self.buffer.get(run.bytes).unwrap_or_default();
            if failure.is_none() && volume.is_poisoned() {
                failure = Some(self.shared.error(StorageErrorKind::Failed, "the volume has failed before"));
            }
            if failure.is_none()
                && let Err(error) = volume.file.write_at(&[bytes], run.offset)
            {
                failure = Some(self.shared.write_error(&volume, "a write", &error));
            }
            for record in run.records {
                match &failure {
                    None => self.pass_on(&volume, record),
                    Some(error) => self.reject(record, error),
                }
            }
        }
        self.buffer.clear();
        self.buffer.shrink_to(2 * GROUP_BYTES_MAX);
    }

    fn pass_on(&self, volume: &Arc<ActiveVolume>, record: Pending) {
        drop(record.memory);
        match record.next {
            Next::Sync(change, reply) => {
                let ack = Ack { volume: Arc::clone(volume), header: record.header, change, reply };
                if self.shared.syncs.push(ack).is_err() {
                    self.shared.abandon(record.header.place, record.header.record_bytes());
                }
            }
            Next::Stream { admission, header_checksum, reply } => {
                let shared = Arc::clone(&self.shared);
                let volume = Arc::clone(volume);
                let slot = StreamSlot::new(shared, volume, record.header, header_checksum, admission);
                // A caller that has gone away drops the slot, which gives the space back.
                let _ = reply.send(Ok(slot));
            }
        }
    }

    fn reject(&self, record: Pending, error: &StorageError) {
        self.shared.abandon(record.header.place, record.header.record_bytes());
        match record.next {
            Next::Sync(_, reply) => drop(reply.send(Err(error.clone()))),
            Next::Stream { reply, .. } => drop(reply.send(Err(error.clone()))),
        }
    }
}
