//! Reading one record from its first byte to its last, and verifying all of it: for the scrub, for compaction, and for
//! inspecting a disk offline.

use std::sync::Arc;

use bytes::Bytes;
use cairn_core::cell::CHECKSUM_BYTES;
use cairn_core::shard::{ShardHeader, body_range, split_body};

use super::damage::Damage;
use crate::disk_io::DiskFile;
use crate::format::{DiskIdentity, FOOTER_BYTES, Footer, HEADER_BYTES, RecordHeader, VolumeKey};

/// Where the bytes of a volume come from.
pub(crate) trait Source {
    /// Why a read failed.
    type Error;
    /// Bytes of cells that are best read at a time; one cell, if that is more.
    const RUN_BYTES: u64;

    /// Up to `bytes` from `offset` on; fewer only at the end of the volume.
    fn read(&mut self, offset: u64, bytes: usize) -> Result<Bytes, Self::Error>;
}

impl<S: Source> Source for &mut S {
    type Error = S::Error;
    const RUN_BYTES: u64 = S::RUN_BYTES;

    fn read(&mut self, offset: u64, bytes: usize) -> Result<Bytes, S::Error> {
        (**self).read(offset, bytes)
    }
}

/// Reads exactly what is asked for.
pub(crate) struct FileSource<'a>(pub(crate) &'a Arc<dyn DiskFile>);

impl Source for FileSource<'_> {
    type Error = std::io::Error;
    const RUN_BYTES: u64 = 1 << 20;

    fn read(&mut self, offset: u64, bytes: usize) -> std::io::Result<Bytes> {
        self.0.read_at(bytes, offset).map(Bytes::from)
    }
}

/// Why a record was not read to its end.
pub(crate) enum ReadError<E> {
    /// The bytes are not what was stored.
    Damaged(Damage),
    /// A read failed. The caller decides whether that says anything about the record.
    Source(E),
}

impl<E> From<Damage> for ReadError<E> {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Reads a record in order: [`Self::open`], [`Self::next_run`] until there is none, [`Self::end`].
pub(crate) struct RecordReader<'a, S> {
    source: S,
    header: &'a RecordHeader,
    key: VolumeKey,
    checksum: [u8; 32],
    descriptor: Bytes,
    next: u32,
    cells: Footer,
}

impl<'a, S: Source> RecordReader<'a, S> {
    /// Reads and verifies the header, which must be `header`: what the index, or a scan of the volume, has.
    pub(crate) fn open(
        identity: &DiskIdentity,
        header: &'a RecordHeader,
        mut source: S,
    ) -> Result<Self, ReadError<S::Error>> {
        let place = header.place;
        let key = identity.volume_key(place.volume);
        let head = source.read(place.offset, header.body_start() as usize).map_err(ReadError::Source)?;
        let found = RecordHeader::decode(identity, place, &head).map_err(|_| Damage::Header)?;
        let checksum = found.verify(&key, &head).map_err(|_| Damage::Header)?;
        if found != *header {
            return Err(Damage::OtherRecord.into());
        }
        let descriptor = head.slice(HEADER_BYTES..);
        Ok(Self { source, header, key, checksum, descriptor, next: 0, cells: Footer::new() })
    }

    pub(crate) fn shard(&self) -> ShardHeader {
        self.header.into_shard(self.descriptor.clone())
    }

    /// The next cells as they are on disk, a checksum after each, verified; `None` after the last.
    pub(crate) fn next_run(&mut self) -> Result<Option<Bytes>, ReadError<S::Error>> {
        let geometry = &self.header.geometry;
        if self.next >= geometry.stripes() {
            return Ok(None);
        }
        let cell_bytes = u64::from(geometry.cell_bytes) + CHECKSUM_BYTES as u64;
        let count = (S::RUN_BYTES / cell_bytes).clamp(1, u64::from(geometry.stripes() - self.next)) as u32;
        let stripes = self.next..self.next + count;
        let range = body_range(geometry, &stripes);
        let run = self.read(self.header.body_start() + range.start, (range.end - range.start) as usize)?;
        let cells = split_body(geometry, stripes.clone(), &run).ok_or(Damage::CutShort)?;
        for (stripe, cell) in stripes.zip(cells) {
            if !cell.verify(self.header.shard.cell(stripe)) {
                return Err(Damage::Cell(stripe).into());
            }
            self.cells.add(&cell.checksum);
        }
        self.next += count;
        Ok(Some(run))
    }

    /// Reads and verifies the rest, with the footer. Returns the shard and the footer for its cells.
    pub(crate) fn end(mut self) -> Result<(ShardHeader, Footer), ReadError<S::Error>> {
        while self.next_run()?.is_some() {}
        let stored = self.read(self.header.footer_start(), FOOTER_BYTES)?;
        if stored.len() != FOOTER_BYTES {
            return Err(Damage::CutShort.into());
        }
        if stored != self.cells.encode(&self.key, &self.checksum)[..] {
            return Err(Damage::Footer.into());
        }
        Ok((self.header.into_shard(self.descriptor), self.cells))
    }

    /// Reads from `at` bytes after the beginning of the record.
    fn read(&mut self, at: u64, bytes: usize) -> Result<Bytes, ReadError<S::Error>> {
        self.source.read(self.header.place.offset + at, bytes).map_err(ReadError::Source)
    }
}

/// Compares a whole record with what the index, or a scan of its volume, says about it. The inner result is the first
/// damage found.
pub(crate) fn verify<S: Source>(
    identity: &DiskIdentity,
    expected: &RecordHeader,
    source: S,
) -> Result<Result<(), Damage>, S::Error> {
    match RecordReader::open(identity, expected, source).and_then(RecordReader::end) {
        Ok(_) => Ok(Ok(())),
        Err(ReadError::Damaged(damage)) => Ok(Err(damage)),
        Err(ReadError::Source(error)) => Err(error),
    }
}
