//! The log thread: it alone hands out space, and it writes each record's header before it hands out more. So one sync, for
//! whichever record, brings all earlier headers to stable storage too, and replay can walk from header to header up to
//! the last record that was ever acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;

use cairn_core::cell::Cell;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{DeleteOrder, StorageError, StorageErrorKind};
use tokio::sync::OwnedSemaphorePermit;

use super::group::{GatheredRecord, Group, Next};
use super::tail::{Need, Tail};
use crate::format::{Footer, Place, RecordHeader, Tombstone};
use crate::store::active_volume::ActiveVolume;
use crate::store::index::{Entry, Located, MayMove, Purpose};
use crate::store::options::GROUP_BYTES_MAX;
use crate::store::requests::{Ack, Change, LogRequest, Region, Reply};
use crate::store::shared::Shared;

/// The log thread's own state.
pub(crate) struct LogWriter {
    shared: Arc<Shared>,
    tail: Tail,
    group: Group,
}

/// The error of a request, and where it goes.
type Unanswered<T> = (StorageError, Reply<T>);

impl LogWriter {
    /// A log that goes on with volume `next_volume`.
    pub(crate) fn new(shared: Arc<Shared>, next_volume: u32) -> Self {
        let tail = Tail::new(Arc::clone(&shared.disk), Arc::clone(&shared.index), next_volume);
        Self { shared, tail, group: Group::default() }
    }

    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        let mut requests = Vec::new();
        while self.shared.log.drain(256, &mut requests) {
            for request in requests.drain(..) {
                self.take(request);
                if self.group.len() >= GROUP_BYTES_MAX {
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
        let located = self.shared.index.locate(shard.id);
        let header = RecordHeader::of_shard(shard, Place::default());
        let admitted = located.and_then(|earlier| {
            let volume = self.volume_for(header.record_bytes(), Need::Shard)?;
            Ok((earlier, volume))
        });
        let (earlier, volume) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return Err((error, reply)),
        };
        let purpose = Purpose::Shard(shard.id);
        let (header, checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
        let mut footer = Footer::new();
        self.group.append_cells(cells, &mut footer);
        let next = Next::Sync { change: Change::Put { shard: shard.id, entry: Entry::of(&header), earlier }, reply };
        self.group.end_record(header, &footer.encode(&volume.key, &checksum), next, Some(memory));
        Ok(())
    }

    fn open(
        &mut self,
        shard: &ShardHeader,
        admission: OwnedSemaphorePermit,
        reply: Reply<Region>,
    ) -> Result<(), Unanswered<Region>> {
        let header = RecordHeader::of_shard(shard, Place::default());
        // The region gets its blocks now, so that a full disk is reported before the first cell is sent.
        let volume = match self.volume_for(header.record_bytes(), Need::Shard) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        let purpose = Purpose::Shard(shard.id);
        let (header, header_checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
        self.group.end_head(header, Next::Stream { admission, header_checksum, reply });
        Ok(())
    }

    /// Where the shard was located, if its record at `from` may be copied. Only this thread reserves space, so the answer
    /// holds until the copy has its place.
    fn may_move(&self, shard: ShardId, from: Place) -> Result<Option<Located>, StorageError> {
        let earlier = self.shared.index.locate(shard)?;
        let state = self.shared.index.state();
        let current = self.shared.index.current(&state, shard, earlier);
        match state.may_move(shard, from, current) {
            MayMove::Yes => Ok(Some(earlier)),
            MayMove::Gone => Ok(None),
            MayMove::Busy => Err(self.busy(shard)),
        }
    }

    fn busy(&self, shard: ShardId) -> StorageError {
        self.shared.disk.error(StorageErrorKind::Busy, format_args!("{shard} is being written or deleted"))
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
        let earlier = match self.may_move(shard.id, from) {
            Ok(Some(earlier)) => earlier,
            Ok(None) => {
                let _ = reply.send(Ok(()));
                return Ok(());
            }
            Err(error) => return Err((error, reply)),
        };
        let purpose = Purpose::Shard(shard.id);
        let (header, checksum) = self.begin_record(header, purpose, &shard.descriptor, &volume);
        self.group.append_body(body);
        let change = Change::Move { shard: shard.id, entry: Entry::of(&header), from, earlier };
        self.group.end_record(header, &cells.encode(&volume.key, &checksum), Next::Sync { change, reply }, None);
        Ok(())
    }

    fn open_move(
        &mut self,
        from: Place,
        shard: &ShardHeader,
        reply: Reply<Option<Region>>,
    ) -> Result<(), Unanswered<Option<Region>>> {
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
        self.group.end_head(header, Next::Copy { header_checksum, reply });
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
        let change = Change::Carry { covered: covered.clone() };
        self.append_tombstone(&Tombstone { proof: tombstone.proof, shards: gone }, Need::Move, change, reply)
    }

    /// Those of `shards` that are still deleted. For one that was stored again, its new record overrules the old ones, so
    /// the new record's volume must outlast the volumes `covered`.
    fn still_gone(&self, shards: &[ShardId], covered: &BTreeSet<u32>) -> Result<Vec<ShardId>, StorageError> {
        let located = self.shared.index.locate_all(shards)?;
        let mut state = self.shared.index.state();
        if let Some(busy) = shards.iter().find(|shard| state.pending.is_busy(**shard)) {
            return Err(self.busy(*busy));
        }
        let mut gone = Vec::with_capacity(shards.len());
        for (shard, earlier) in shards.iter().zip(located) {
            match self.shared.index.current(&state, *shard, earlier) {
                Some(entry) => covered.iter().for_each(|older| state.volumes.cover(entry.place.volume, *older)),
                None => gone.push(*shard),
            }
        }
        Ok(gone)
    }

    fn delete(&mut self, order: DeleteOrder, reply: Reply<()>) {
        let wanted: BTreeSet<ShardId> = order.shards.iter().copied().collect();
        let all: Vec<ShardId> = wanted.iter().copied().collect();
        let located = match self.shared.index.locate_all(&all) {
            Ok(located) => located,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let maybe_written = self.shared.index.state().pending.maybe_written(&wanted);
        let held = all.into_iter().zip(located);
        let held: Vec<(ShardId, Located)> =
            held.filter(|(shard, located)| located.entry.is_some() || maybe_written.contains(shard)).collect();
        if held.is_empty() {
            return drop(reply.send(Ok(())));
        }
        let shards = held.iter().map(|(shard, _)| *shard).collect();
        let (tombstone, change) = (Tombstone { proof: order.proof, shards }, Change::Delete { shards: held });
        if let Err((error, reply)) = self.append_tombstone(&tombstone, Need::Tombstone, change, reply) {
            let _ = reply.send(Err(error));
        }
    }

    /// Appends a tombstone to the group; `change` is applied, and `reply` answered, once it is synced. Without room for it
    /// the reply comes back with the error.
    fn append_tombstone(
        &mut self,
        tombstone: &Tombstone,
        need: Need,
        change: Change,
        reply: Reply<()>,
    ) -> Result<(), Unanswered<()>> {
        let list = tombstone.encode();
        let header = RecordHeader::of_tombstone(list.len() as u32, Place::default());
        let volume = match self.volume_for(header.record_bytes(), need) {
            Ok(volume) => volume,
            Err(error) => return Err((error, reply)),
        };
        let (header, checksum) =
            self.begin_record(header, Purpose::Tombstone(tombstone.shards.clone()), &list, &volume);
        self.group.end_record(
            header,
            &Footer::new().encode(&volume.key, &checksum),
            Next::Sync { change, reply },
            None,
        );
        Ok(())
    }

    /// Begins a record at the tail: reserves its space and appends header and descriptor to the group.
    fn begin_record(
        &mut self,
        header: RecordHeader,
        purpose: Purpose,
        descriptor: &[u8],
        volume: &ActiveVolume,
    ) -> (RecordHeader, [u8; 32]) {
        let (place, synced_before) = {
            let mut state = self.shared.index.state();
            (state.reserve(header.record_bytes(), purpose), state.synced_before)
        };
        let header = RecordHeader { place, ..header };
        let identity = &self.shared.disk.identity;
        let checksum = self.group.begin_record(identity, &volume.key, &header, synced_before, descriptor);
        (header, checksum)
    }

    /// The volume for a record of `bytes`, with blocks for it.
    fn volume_for(&mut self, bytes: u64, need: Need) -> Result<Arc<ActiveVolume>, StorageError> {
        if let Some(volume) = self.tail.extend(bytes, need)? {
            return Ok(volume);
        }
        self.write_group();
        self.tail.begin(bytes, need)
    }

    /// Writes the group and passes each record on.
    fn write_group(&mut self) {
        self.tail.end_group();
        let Some(volume) = self.tail.volume().map(Arc::clone) else { return };
        let mut failure: Option<StorageError> = None;
        let shared = Arc::clone(&self.shared);
        let _under_way = shared.disk.writing();
        for run in self.group.take_runs() {
            if failure.is_none() {
                failure = volume.write(&[self.group.bytes(run.bytes)], run.offset).err();
            }
            for record in run.records {
                match &failure {
                    None => self.pass_on(&volume, record),
                    Some(error) => self.reject(record, error),
                }
            }
        }
        self.group.clear(2 * GROUP_BYTES_MAX);
    }

    fn pass_on(&self, volume: &Arc<ActiveVolume>, record: GatheredRecord) {
        let GatheredRecord { header, next, memory } = record;
        drop(memory);
        let region = |header_checksum, admission| {
            Region::new(Arc::clone(&self.shared.index), Arc::clone(volume), header, header_checksum, admission)
        };
        match next {
            Next::Sync { change, reply } => {
                let ack = Ack { volume: Arc::clone(volume), header, change, reply };
                if self.shared.syncs.push(ack).is_err() {
                    self.shared.index.state().abandon(header.place);
                }
            }
            // A caller that has gone away drops the region, which frees the space.
            Next::Stream { admission, header_checksum, reply } => {
                drop(reply.send(Ok(region(header_checksum, Some(admission)))));
            }
            Next::Copy { header_checksum, reply } => drop(reply.send(Ok(Some(region(header_checksum, None))))),
        }
    }

    fn reject(&self, record: GatheredRecord, error: &StorageError) {
        self.shared.index.state().abandon(record.header.place);
        match record.next {
            Next::Sync { reply, .. } => drop(reply.send(Err(error.clone()))),
            Next::Stream { reply, .. } => drop(reply.send(Err(error.clone()))),
            Next::Copy { reply, .. } => drop(reply.send(Err(error.clone()))),
        }
    }
}

/// Reports a failure to the caller.
fn answer<T>(result: Result<(), Unanswered<T>>) {
    if let Err((error, reply)) = result {
        let _ = reply.send(Err(error));
    }
}
