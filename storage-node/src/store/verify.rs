//! Reading a whole record and checking every byte of it.

use std::sync::Arc;

use bytes::Bytes;
use cairn_core::cell::{CHECKSUM_BYTES, CellChecksum, checksum};
use cairn_core::shard::{ShardHeader, body_range};
use cairn_protocol::storage::StorageError;

use super::shared::Shared;
use crate::disk_io::DiskFile;
use crate::format::{Footer, HEADER_BYTES, RecordHeader};

/// Bytes that are read at a time, unless one cell is longer.
const RUN_BYTES: u64 = 1 << 20;

/// Why a record could not be read whole.
pub(super) enum Damage {
    /// The bytes are not what was stored.
    Corrupt(&'static str),
    /// The disk or the process failed, which says nothing about the bytes.
    Failed(StorageError),
}

/// Reads a record's body in runs of whole cells, each verified.
pub(super) struct RecordReader<'a> {
    shared: &'a Shared,
    header: RecordHeader,
    descriptor: Bytes,
    file: Arc<dyn DiskFile>,
    next: u32,
    run: Vec<u8>,
    cells: Footer,
}

impl<'a> RecordReader<'a> {
    /// Reads and verifies the header, which must be `header`.
    pub(super) fn open(shared: &'a Shared, header: &RecordHeader) -> Result<Self, Damage> {
        let failed = |e: std::io::Error| Damage::Failed(shared.io_error("opening a volume", &e));
        let file = shared.files.get(header.place.volume).map_err(failed)?;
        let mut head = read(shared, &file, header.place.offset, header.body_start())?;
        let key = shared.identity.volume_key(header.place.volume);
        let found = RecordHeader::decode(&shared.identity, header.place, &head);
        let verified = found.and_then(|found| found.verify(&key, &head).map(|_| found));
        if verified != Ok(*header) {
            return Err(Damage::Corrupt("the record's header does not verify"));
        }
        let descriptor = Bytes::from(head.split_off(HEADER_BYTES));
        let (header, cells) = (*header, Footer::new());
        Ok(Self { shared, header, descriptor, file, next: 0, run: Vec::new(), cells })
    }

    /// The shard that the record holds.
    pub(super) fn shard(&self) -> ShardHeader {
        self.header.into_shard(self.descriptor.clone())
    }

    /// The next cells, a checksum after each, as they stand on disk; nothing after the last.
    pub(super) fn next_run(&mut self) -> Result<Option<&[u8]>, Damage> {
        let geometry = self.header.geometry;
        if self.next >= geometry.stripes() {
            return Ok(None);
        }
        let cell_bytes = u64::from(geometry.cell_bytes) + CHECKSUM_BYTES as u64;
        let count = (RUN_BYTES / cell_bytes).clamp(1, u64::from(geometry.stripes() - self.next)) as u32;
        let stripes = self.next..self.next + count;
        let range = body_range(&geometry, &stripes);
        let offset = self.header.place.offset + self.header.body_start() + range.start;
        self.run = read(self.shared, &self.file, offset, range.end - range.start)?;
        let mut rest = self.run.as_slice();
        for stripe in stripes {
            let cut = rest.split_at_checked(geometry.cell_length(stripe) as usize);
            let cell = cut.and_then(|(data, rest)| Some((data, rest.split_first_chunk::<CHECKSUM_BYTES>()?)));
            let Some((data, (stored, after))) = cell else {
                return Err(Damage::Corrupt("the volume ends inside the record"));
            };
            let stored = CellChecksum(*stored);
            if checksum(data, self.header.shard.cell(stripe)) != stored {
                return Err(Damage::Corrupt("a cell does not verify"));
            }
            self.cells.add(&stored);
            rest = after;
        }
        self.next += count;
        Ok(Some(&self.run))
    }

    /// The shard and the sum of its cells' checksums, after the last run.
    pub(super) fn end(self) -> (ShardHeader, Footer) {
        (self.header.into_shard(self.descriptor), self.cells)
    }
}

fn read(shared: &Shared, file: &Arc<dyn DiskFile>, offset: u64, bytes: u64) -> Result<Vec<u8>, Damage> {
    match file.read_at(bytes as usize, offset) {
        Ok(read) => Ok(read),
        // A sector that cannot be read is as good as a wrong one: it must stay, and somebody must hear of it.
        Err(e) if super::fault::classify(&e) == cairn_protocol::storage::StorageErrorKind::Failed => {
            Err(Damage::Corrupt("the disk does not give its bytes"))
        }
        Err(e) => Err(Damage::Failed(shared.io_error("reading a record", &e))),
    }
}
