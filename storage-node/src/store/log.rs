//! The log thread: the only one that hands out space, and the one that writes every record header before the next is
//! handed out. So one sync, whichever record it is for, also brings every earlier header to stable storage, and
//! recovery can walk from header to header up to the last record that was ever acknowledged.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{DeleteOrder, StorageError, StorageErrorKind};
use tokio::sync::OwnedSemaphorePermit;

use super::entry::Entry;
use super::flux::Purpose;
use super::options::GROUP_BYTES_MAX;
use super::shared::{ActiveVolume, Reply, Shared};
use super::state::MayMove;
use super::stream::StreamSlot;
use super::sync::{Ack, Change};
use super::tail::{Need, Tail};
use crate::format::{Footer, Place, RecordHeader, Tombstone};

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
    /// Write a copy of the whole shard that lies at `from`; its verified cells and their checksums are in `body`. `Busy`
    /// if the shard is being written or deleted; nothing happens if it lies elsewhere by now.
    Move { from: Place, shard: ShardHeader, body: Bytes, cells: Box<Footer>, reply: Reply<()> },
    /// Reserve space for a copy of the shard that lies at `from`, and write its header. Nothing if it lies elsewhere.
    OpenMove { from: Place, shard: ShardHeader, reply: Reply<Option<StreamSlot>> },
    /// Write the tombstone again, as far as its shards are gone, because records in the volumes `covered` would come
    /// back without it. `Busy` if one of them is being written or deleted.
    Carry { tombstone: Tombstone, covered: BTreeSet<u32>, reply: Reply<()> },
}

/// What becomes of a record once it is written.
enum Next {
    Sync(Change, Reply<()>),
    Stream { admission: OwnedSemaphorePermit, header_checksum: [u8; 32], reply: Reply<StreamSlot> },
    Copy { header_checksum: [u8; 32], reply: Reply<Option<StreamSlot>> },
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
    tail: Tail,
    buffer: Vec<u8>,
    runs: Vec<Run>,
}

/// A request that failed, and who asked.
type Unanswered<T> = (StorageError, Reply<T>);

impl Log {
    /// A log that begins with volume `next_volume`.
    pub(super) fn new(shared: Arc<Shared>, next_volume: u32) -> Self {
        let tail = Tail::new(Arc::clone(&shared), next_volume);
        Self { shared, tail, buffer: Vec::new(), runs: Vec::new() }
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
        self.tail.release();
    }

    fn take(&mut self, request: LogRequest) {
        match request {
            LogRequest::Put { header, cells, memory, reply } => answer(self.put(&header, &cells, memory, reply)),
            LogRequest::Open { header, admission, reply } => answer(self.open(&header, admission, reply)),
            LogRequest::Delete { order, reply } => self.delete(order, reply),
            LogRequest::Move { from, shard, body, cells, reply } => {
                answer(self.move_whole(from, &shard, &body, &cells, reply));
            }
            LogRequest::OpenMove { from, shard, reply } => answer(self.open_move(from, &shard, reply)),
            LogRequest::Carry { tombstone, covered, reply } => answer(self.carry(tombstone, &covered, reply)),
        }
    }

    fn put(
        &mut self,
        shard: &ShardHeader,
        cells: &[Cell],
        memory: OwnedSemaphorePermit,
        reply: Reply<()>,
    ) -> Result<(), Unanswered<()>> {
        let located = self.shared.locate(&[shard.id]);
        let header = RecordHeader::of_shard(shard, Place::default());
        let admitted = located.and_then(|located| {
            let volume = self.volume_for(header.record_bytes(), Need::Shard)?;
            Ok((located, volume))
        });
        let (located, volume) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return Err((error, reply)),
        };
        let purpose = Purpose::Shard(shard.id);
        let (header, checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
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
    ) -> Result<(), Unanswered<StreamSlot>> {
        let header = RecordHeader::of_shard(shard, Place::default());
        // The region gets its blocks now, so that a full disk shows before the first cell is sent.
        let volume = match self.volume_for(header.record_bytes(), Need::Shard) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        let purpose = Purpose::Shard(shard.id);
        let (header, header_checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
        self.end_head(header, Next::Stream { admission, header_checksum, reply });
        Ok(())
    }

    /// Where the shard was known to lie, if a copy of its record at `from` may be made. Only this thread reserves space,
    /// so the answer holds until the copy has its place.
    fn may_move(&self, shard: ShardId, from: Place) -> Result<Option<(Option<Entry>, u64)>, StorageError> {
        let located = self.shared.locate(&[shard])?;
        let earlier = located.entries.first().copied().flatten();
        let state = self.shared.state();
        let current = self.shared.current(&state, shard, earlier, located.generation);
        match state.may_move(shard, from, current) {
            MayMove::Yes => Ok(Some((earlier, located.generation))),
            MayMove::Gone => Ok(None),
            MayMove::Busy => {
                let detail = format!("{shard} is being written or deleted");
                Err(self.shared.error(StorageErrorKind::Busy, detail))
            }
        }
    }

    fn move_whole(
        &mut self,
        from: Place,
        shard: &ShardHeader,
        body: &[u8],
        cells: &Footer,
        reply: Reply<()>,
    ) -> Result<(), Unanswered<()>> {
        let header = RecordHeader::of_shard(shard, Place::default());
        let volume = match self.volume_for(header.record_bytes(), Need::Move) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        let (earlier, generation) = match self.may_move(shard.id, from) {
            Ok(Some(known)) => known,
            Ok(None) => {
                let _ = reply.send(Ok(()));
                return Ok(());
            }
            Err(error) => return Err((error, reply)),
        };
        let purpose = Purpose::Shard(shard.id);
        let (header, checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
        self.buffer.extend_from_slice(body);
        let change = Change::Move { shard: shard.id, entry: Entry::of(&header), from, earlier, generation };
        self.end_record(header, &cells.encode(&volume.key, &checksum), Next::Sync(change, reply), None);
        Ok(())
    }

    fn open_move(
        &mut self,
        from: Place,
        shard: &ShardHeader,
        reply: Reply<Option<StreamSlot>>,
    ) -> Result<(), Unanswered<Option<StreamSlot>>> {
        let header = RecordHeader::of_shard(shard, Place::default());
        let volume = match self.volume_for(header.record_bytes(), Need::Move) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        match self.may_move(shard.id, from) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let _ = reply.send(Ok(None));
                return Ok(());
            }
            Err(error) => return Err((error, reply)),
        }
        let purpose = Purpose::Shard(shard.id);
        let (header, header_checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
        self.end_head(header, Next::Copy { header_checksum, reply });
        Ok(())
    }

    fn carry(&mut self, tombstone: Tombstone, covered: &BTreeSet<u32>, reply: Reply<()>) -> Result<(), Unanswered<()>> {
        let gone = match self.still_gone(&tombstone.shards, covered) {
            Ok(gone) if gone.is_empty() => {
                let _ = reply.send(Ok(()));
                return Ok(());
            }
            Ok(gone) => gone,
            Err(error) => return Err((error, reply)),
        };
        let list = Tombstone { proof: tombstone.proof, shards: gone.clone() }.encode();
        let header = RecordHeader::of_tombstone(list.len() as u32, Place::default());
        let volume = match self.volume_for(header.record_bytes(), Need::Move) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        let (header, checksum) = self.begin_record(header, Purpose::Tombstone(gone), &list, &volume);
        let change = Change::Carry { covered: covered.clone() };
        self.end_record(header, &Footer::new().encode(&volume.key, &checksum), Next::Sync(change, reply), None);
        Ok(())
    }

    /// Those of `shards` whose deletion still counts. One that was stored again since is kept from coming back by its
    /// new record, whose volume then must outlast the volumes `covered`.
    fn still_gone(&self, shards: &[ShardId], covered: &BTreeSet<u32>) -> Result<Vec<ShardId>, StorageError> {
        let located = self.shared.locate(shards)?;
        let mut state = self.shared.state();
        if let Some(busy) = shards.iter().find(|shard| state.flux.is_busy(**shard)) {
            let detail = format!("{busy} is being written or deleted");
            return Err(self.shared.error(StorageErrorKind::Busy, detail));
        }
        let mut gone = Vec::with_capacity(shards.len());
        for (shard, earlier) in shards.iter().zip(located.entries) {
            match self.shared.current(&state, *shard, earlier, located.generation) {
                Some(entry) => covered.iter().for_each(|older| state.volumes.cover(entry.place.volume, *older)),
                None => gone.push(*shard),
            }
        }
        Ok(gone)
    }

    fn delete(&mut self, order: DeleteOrder, reply: Reply<()>) {
        let wanted: BTreeSet<ShardId> = order.shards.iter().copied().collect();
        let all: Vec<ShardId> = wanted.iter().copied().collect();
        let located = match self.shared.locate(&all) {
            Ok(located) => located,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let maybe_written = self.shared.state().flux.maybe_written(&wanted);
        let there = all.into_iter().zip(located.entries);
        let there: Vec<(ShardId, Option<Entry>)> =
            there.filter(|(shard, entry)| entry.is_some() || maybe_written.contains(shard)).collect();
        if there.is_empty() {
            return drop(reply.send(Ok(())));
        }
        let shards: Vec<ShardId> = there.iter().map(|(shard, _)| *shard).collect();
        let list = Tombstone { proof: order.proof, shards: shards.clone() }.encode();
        let header = RecordHeader::of_tombstone(list.len() as u32, Place::default());
        let volume = match self.volume_for(header.record_bytes(), Need::Tombstone) {
            Ok(volume) => volume,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let (header, checksum) = self.begin_record(header, Purpose::Tombstone(shards), &list, &volume);
        let change = Change::Delete { shards: there, generation: located.generation };
        self.end_record(header, &Footer::new().encode(&volume.key, &checksum), Next::Sync(change, reply), None);
    }

    /// Starts a record at the tail: reserves its space and appends header and descriptor to the group.
    fn begin_record(
        &mut self,
        header: RecordHeader,
        purpose: Purpose,
        descriptor: &[u8],
        volume: &ActiveVolume,
    ) -> (RecordHeader, [u8; 32]) {
        let (place, synced_before) = {
            let mut state = self.shared.state();
            (state.reserve(header.record_bytes(), purpose), state.synced_before)
        };
        let header = RecordHeader { place, ..header };
        let start = self.buffer.len();
        let continues = self.runs.last().is_some_and(|run| run.offset + run.bytes.len() as u64 == place.offset);
        if !continues {
            self.runs.push(Run { offset: place.offset, bytes: start..start, records: Vec::new() });
        }
        let checksum = header.encode(&self.shared.identity, &volume.key, synced_before, descriptor, &mut self.buffer);
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

    /// Ends what the group has of a record whose body is written by somebody else.
    fn end_head(&mut self, header: RecordHeader, next: Next) {
        if let Some(run) = self.runs.last_mut() {
            run.bytes.end = self.buffer.len();
            run.records.push(Pending { header, next, memory: None });
        }
    }

    /// The volume that a record of `bytes` goes to, with blocks for it.
    fn volume_for(&mut self, bytes: u64, need: Need) -> Result<Arc<ActiveVolume>, StorageError> {
        if let Some(volume) = self.tail.extend(bytes, need)? {
            return Ok(volume);
        }
        self.write_group();
        self.tail.begin(bytes, need)
    }

    /// Writes what was gathered and passes every record on.
    fn write_group(&mut self) {
        self.tail.end_group();
        let Some(volume) = self.tail.volume().map(Arc::clone) else { return };
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
                    self.shared.state().abandon(record.header.place);
                }
            }
            Next::Stream { admission, header_checksum, reply } => {
                let shared = Arc::clone(&self.shared);
                let volume = Arc::clone(volume);
                let slot = StreamSlot::new(shared, volume, record.header, header_checksum, Some(admission));
                // A caller that has gone away drops the slot, which gives the space back.
                let _ = reply.send(Ok(slot));
            }
            Next::Copy { header_checksum, reply } => {
                let (shared, volume) = (Arc::clone(&self.shared), Arc::clone(volume));
                let slot = StreamSlot::new(shared, volume, record.header, header_checksum, None);
                let _ = reply.send(Ok(Some(slot)));
            }
        }
    }

    fn reject(&self, record: Pending, error: &StorageError) {
        self.shared.state().abandon(record.header.place);
        match record.next {
            Next::Sync(_, reply) => drop(reply.send(Err(error.clone()))),
            Next::Stream { reply, .. } => drop(reply.send(Err(error.clone()))),
            Next::Copy { reply, .. } => drop(reply.send(Err(error.clone()))),
        }
    }
}

/// Tells whoever asked what went wrong.
fn answer<T>(result: Result<(), Unanswered<T>>) {
    if let Err((error, reply)) = result {
        let _ = reply.send(Err(error));
    }
}
