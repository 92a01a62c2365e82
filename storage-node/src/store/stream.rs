//! Shards that stream into their own regions while others do the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use cairn_core::cell::Cell;
use cairn_core::shard::body_range;
use cairn_protocol::storage::{ShardWriter, StorageError, StorageErrorKind};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::entry::Entry;
use super::options::WRITE_BYTES_MAX;
use super::shared::{ActiveVolume, Reply, Shared};
use super::sync::{Ack, Change};
use crate::format::{FOOTER_BYTES, Footer, Place, RecordHeader};

/// A region of a volume that is reserved for one shard. Dropping it gives the space back, unless the shard has been
/// handed over to the sync thread, or its footer begun.
pub(super) struct StreamSlot {
    shared: Arc<Shared>,
    volume: Arc<ActiveVolume>,
    header: RecordHeader,
    header_checksum: [u8; 32],
    footer_begun: AtomicBool,
    handed_over: AtomicBool,
    _admission: Option<OwnedSemaphorePermit>,
}

impl StreamSlot {
    pub(super) fn new(
        shared: Arc<Shared>,
        volume: Arc<ActiveVolume>,
        header: RecordHeader,
        header_checksum: [u8; 32],
        admission: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            shared,
            volume,
            header,
            header_checksum,
            footer_begun: false.into(),
            handed_over: false.into(),
            _admission: admission,
        }
    }

    /// The header that stands on disk.
    pub(super) fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// Writes a part of the record, from `offset` in it on.
    pub(super) fn write(&self, parts: &[&[u8]], offset: u64) -> Result<(), StorageError> {
        if self.volume.is_poisoned() {
            return Err(self.shared.error(StorageErrorKind::Failed, "the volume has failed before"));
        }
        let result = self.volume.file.write_at(parts, self.header.place.offset + offset);
        result.map_err(|e| self.shared.write_error(&self.volume, "a write", &e))
    }
}

impl StreamSlot {
    fn write_footer(&self, footer: &[u8]) -> Result<(), StorageError> {
        let mut tail = footer.to_vec();
        self.footer_begun.store(true, Ordering::Release);
        tail.resize((self.header.record_bytes() - self.header.footer_start()) as usize, 0);
        self.write(&[&tail], self.header.footer_start())
    }

    /// The record is complete: the sync thread answers for it from now on.
    fn hand_over(&self, change: Change, reply: Reply<()>) {
        let ack = Ack { volume: Arc::clone(&self.volume), header: self.header, change, reply };
        self.handed_over.store(true, Ordering::Release);
        if self.shared.syncs.push(ack).is_err() {
            self.handed_over.store(false, Ordering::Release);
        }
    }

    /// Ends a copy of the record at `from`, of which everything but the footer is written.
    pub(super) fn finish_copy(&self, from: Place, cells: &Footer, reply: Reply<()>) -> Result<(), StorageError> {
        let shard = self.header.shard;
        self.write_footer(&cells.encode(&self.volume.key, &self.header_checksum))?;
        let located = self.shared.locate(&[shard])?;
        let (earlier, generation) = (located.entries.first().copied().flatten(), located.generation);
        self.hand_over(Change::Move { shard, entry: Entry::of(&self.header), from, earlier, generation }, reply);
        Ok(())
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        if self.handed_over.load(Ordering::Acquire) {
            return;
        }
        if self.footer_begun.load(Ordering::Acquire) {
            self.shared.state().abandon(self.header.place);
        } else {
            self.shared.abandon_unfinished(self.header.place, self.header.record_bytes());
        }
    }
}

/// What the stream threads are asked to do.
pub(super) enum StreamRequest {
    /// Write cells at an offset in the record.
    Cells { slot: Arc<StreamSlot>, offset: u64, cells: Vec<Cell>, memory: OwnedSemaphorePermit, reply: Reply<()> },
    /// Write the footer and hand the record over to the sync thread.
    Finish { slot: Arc<StreamSlot>, footer: [u8; FOOTER_BYTES], reply: Reply<()> },
}

/// Runs until the queue is closed and empty.
pub(super) fn run(shared: &Arc<Shared>) {
    while let Some(request) = shared.streams.pop() {
        match request {
            StreamRequest::Cells { slot, offset, cells, memory, reply } => {
                let parts: Vec<&[u8]> = cells.iter().flat_map(|c| [&c.data[..], &c.checksum.0[..]]).collect();
                let result = slot.write(&parts, offset);
                drop((cells, memory, slot));
                let _ = reply.send(result);
            }
            StreamRequest::Finish { slot, footer, reply } => finish(shared, &slot, &footer, reply),
        }
    }
}

fn finish(shared: &Arc<Shared>, slot: &StreamSlot, footer: &[u8], reply: Reply<()>) {
    let id = slot.header.shard;
    let located = slot.write_footer(footer).and_then(|()| shared.locate(&[id]));
    let located = match located {
        Ok(located) => located,
        Err(error) => return drop(reply.send(Err(error))),
    };
    let earlier = located.entries.first().copied().flatten();
    let change = Change::Put { shard: id, entry: Entry::of(&slot.header), earlier, generation: located.generation };
    slot.hand_over(change, reply);
}

/// Appends of one stream that may be under way at the same time: the next batch is taken while one is being written.
const APPENDS_MAX: usize = 2;

/// A shard that streams in.
pub(super) struct StreamWriter {
    shared: Arc<Shared>,
    slot: Arc<StreamSlot>,
    footer: Footer,
    next_cell: u32,
    under_way: VecDeque<oneshot::Receiver<Result<(), StorageError>>>,
}

impl StreamWriter {
    pub(super) fn new(shared: Arc<Shared>, slot: StreamSlot) -> Self {
        let slot = Arc::new(slot);
        Self { shared, slot, footer: Footer::new(), next_cell: 0, under_way: VecDeque::new() }
    }

    /// Waits until at most `most` appends are under way.
    async fn settle(&mut self, most: usize) -> Result<(), StorageError> {
        while self.under_way.len() > most
            && let Some(oldest) = self.under_way.pop_front()
        {
            oldest.await.unwrap_or_else(|_| Err(self.shared.closing()))?;
        }
        Ok(())
    }

    fn check(&self, cells: &[Cell]) -> Result<(), StorageError> {
        check_cells(&self.slot.header, self.next_cell, cells)
            .map_err(|detail| self.shared.error(StorageErrorKind::Invalid, detail))
    }
}

/// Whether `cells` are as long as the geometry says, from cell `first` on.
pub(super) fn check_cells(header: &RecordHeader, first: u32, cells: &[Cell]) -> Result<(), String> {
    let geometry = &header.geometry;
    for (stripe, cell) in (first..).zip(cells) {
        let (bytes, wanted) = (cell.data.len(), geometry.cell_length(stripe));
        if stripe >= geometry.stripes() || bytes != wanted as usize {
            return Err(format!("cell {stripe} of {} has {bytes} bytes, its geometry wants {wanted}", header.shard));
        }
    }
    Ok(())
}

#[async_trait]
impl ShardWriter for StreamWriter {
    async fn append(&mut self, cells: Vec<Cell>) -> Result<(), StorageError> {
        if cells.is_empty() {
            return Ok(());
        }
        self.check(&cells)?;
        self.settle(APPENDS_MAX - 1).await?;
        let bytes: usize = cells.iter().map(|cell| cell.data.len()).sum();
        let permits = bytes.min(WRITE_BYTES_MAX) as u32;
        let memory = Arc::clone(&self.shared.write_bytes).acquire_many_owned(permits).await;
        let memory = memory.map_err(|_| self.shared.closing())?;
        for cell in &cells {
            self.footer.add(&cell.checksum);
        }
        let count = cells.len() as u32;
        let body = body_range(&self.slot.header.geometry, &(self.next_cell..self.next_cell + count));
        let (reply, answer) = oneshot::channel();
        let offset = self.slot.header.body_start() + body.start;
        let request = StreamRequest::Cells { slot: Arc::clone(&self.slot), offset, cells, memory, reply };
        self.shared.streams.push(request).map_err(|e| self.shared.push_error(e))?;
        self.next_cell += count;
        self.under_way.push_back(answer);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StorageError> {
        let (cells, wanted) = (self.next_cell, self.slot.header.geometry.stripes());
        if cells != wanted {
            let detail = format!("{} ends after {cells} of {wanted} cells", self.slot.header.shard);
            return Err(self.shared.error(StorageErrorKind::Invalid, detail));
        }
        self.settle(0).await?;
        let (reply, answer) = oneshot::channel();
        let Self { shared, slot, footer, .. } = *self;
        let footer = footer.encode(&slot.volume.key, &slot.header_checksum);
        shared.streams.push(StreamRequest::Finish { slot, footer, reply }).map_err(|e| shared.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(shared.closing()))
    }
}
