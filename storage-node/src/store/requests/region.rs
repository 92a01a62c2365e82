//! A region of a volume that is reserved for one shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cairn_protocol::storage::StorageError;
use tokio::sync::OwnedSemaphorePermit;

use super::ack::{Ack, Change, Reply};
use crate::format::{FOOTER_BYTES, Footer, Place, RecordHeader};
use crate::store::active_volume::ActiveVolume;
use crate::store::index::{Entry, Index};
use crate::store::queue::Queue;

/// A region of a volume that is reserved for one shard; its header is written. Dropping it frees the space, unless the
/// record was passed on to the sync thread, or its footer begun.
pub(crate) struct Region {
    index: Arc<Index>,
    volume: Arc<ActiveVolume>,
    header: RecordHeader,
    header_checksum: [u8; 32],
    footer_begun: AtomicBool,
    passed_on: AtomicBool,
    _admission: Option<OwnedSemaphorePermit>,
}

impl Region {
    pub(crate) fn new(
        index: Arc<Index>,
        volume: Arc<ActiveVolume>,
        header: RecordHeader,
        header_checksum: [u8; 32],
        admission: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let (footer_begun, passed_on) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { index, volume, header, header_checksum, footer_begun, passed_on, _admission: admission }
    }

    pub(crate) fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// Writes a part of the record, `offset` bytes from its beginning.
    pub(crate) fn write(&self, parts: &[&[u8]], offset: u64) -> Result<(), StorageError> {
        self.volume.write(parts, self.header.place.offset + offset)
    }

    /// The footer for these cells, as it is on disk.
    pub(crate) fn footer(&self, cells: &Footer) -> [u8; FOOTER_BYTES] {
        cells.encode(&self.volume.key, &self.header_checksum)
    }

    /// Writes the footer, and zeros up to where the next record may begin.
    pub(crate) fn write_footer(&self, footer: &[u8]) -> Result<(), StorageError> {
        let mut tail = footer.to_vec();
        self.footer_begun.store(true, Ordering::Release);
        tail.resize((self.header.record_bytes() - self.header.footer_start()) as usize, 0);
        self.write(&[&tail], self.header.footer_start())
    }

    /// The record is complete: the sync thread answers for it from now on.
    pub(crate) fn pass_on(&self, syncs: &Queue<Ack>, change: Change, reply: Reply<()>) {
        let ack = Ack { volume: Arc::clone(&self.volume), header: self.header, change, reply };
        self.passed_on.store(true, Ordering::Release);
        if syncs.push(ack).is_err() {
            self.passed_on.store(false, Ordering::Release);
        }
    }

    /// Ends a copy of the record at `from`, of which everything but the footer is written.
    pub(crate) fn finish_copy(
        &self,
        syncs: &Queue<Ack>,
        from: Place,
        cells: &Footer,
        reply: Reply<()>,
    ) -> Result<(), StorageError> {
        let shard = self.header.shard;
        self.write_footer(&self.footer(cells))?;
        let earlier = self.index.locate(shard)?;
        self.pass_on(syncs, Change::Move { shard, entry: Entry::of(&self.header), from, earlier }, reply);
        Ok(())
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.passed_on.load(Ordering::Acquire) {
            return;
        }
        if self.footer_begun.load(Ordering::Acquire) {
            self.index.state().abandon(self.header.place);
        } else {
            self.index.abandon_unfinished(self.header.place, self.header.record_bytes());
        }
    }
}
