//! Reading one record from its first byte to its last, and checking every one of them: for the scrub, for compaction,
//! and for those who look at a disk offline.

use std::sync::Arc;

use bytes::Bytes;
use cairn_core::cell::CHECKSUM_BYTES;
use cairn_core::shard::{ShardHeader, body_range, split_body};

use crate::disk_io::DiskFile;
use crate::format::{DiskIdentity, FOOTER_BYTES, Footer, HEADER_BYTES, RecordHeader, VolumeKey};

/// What is wrong with the record of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The header does not verify.
    #[error("its header does not verify")]
    Header,
    /// A good header, and not the one that belongs there.
    #[error("another record lies in its place")]
    OtherRecord,
    /// The volume ends inside the record.
    #[error("the volume ends inside it")]
    CutShort,
    /// A cell does not match its checksum.
    #[error("cell {0} does not match its checksum")]
    Cell(u32),
    /// The footer is not the one of these cells.
    #[error("its footer does not match its cells")]
    Footer,
    /// The disk does not give the bytes.
    #[error("the disk does not give its bytes")]
    Unreadable,
    /// The volume's file is not there.
    #[error("the file of its volume is gone")]
    VolumeGone,
}

/// Where the bytes of a volume come from.
pub(super) trait Source {
    /// Why there are none.
    type Error;
    /// Bytes of cells that are best asked for at a time; one cell, if that is more.
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

/// A volume, read as asked.
pub(super) struct FileSource<'a>(pub(super) &'a Arc<dyn DiskFile>);

impl Source for FileSource<'_> {
    type Error = std::io::Error;
    const RUN_BYTES: u64 = 1 << 20;

    fn read(&mut self, offset: u64, bytes: usize) -> std::io::Result<Bytes> {
        self.0.read_at(bytes, offset).map(Bytes::from)
    }
}

/// Why a record could not be read whole.
pub(super) enum ReadError<E> {
    /// The bytes are not what was stored.
    Damaged(Damage),
    /// There are no bytes. Whether that says anything about the record is for the caller to judge.
    Source(E),
}

impl<E> From<Damage> for ReadError<E> {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Reads a record in order: [`Self::open`], [`Self::next_run`] until there is none, [`Self::end`].
pub(super) struct RecordReader<'a, S> {
    source: S,
    header: &'a RecordHeader,
    key: VolumeKey,
    checksum: [u8; 32],
    descriptor: Bytes,
    next: u32,
    cells: Footer,
}

impl<'a, S: Source> RecordReader<'a, S> {
    /// Reads and verifies the header, which must be the one that the index, or the walk through the volume, has.
    pub(super) fn open(
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

    /// The shard that the record holds.
    pub(super) fn shard(&self) -> ShardHeader {
        self.header.into_shard(self.descriptor.clone())
    }

    /// The next cells, a checksum after each, as they stand on disk, verified; nothing after the last.
    pub(super) fn next_run(&mut self) -> Result<Option<Bytes>, ReadError<S::Error>> {
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

    /// Reads and verifies what is left, the footer last. Returns the shard and the sum of its cells' checksums.
    pub(super) fn end(mut self) -> Result<(ShardHeader, Footer), ReadError<S::Error>> {
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

    /// Reads from `at` on, counted from the beginning of the record.
    fn read(&mut self, at: u64, bytes: usize) -> Result<Bytes, ReadError<S::Error>> {
        self.source.read(self.header.place.offset + at, bytes).map_err(ReadError::Source)
    }
}

/// Compares a whole record with what the index, or the walk through its volume, says about it. What is wrong first is
/// returned.
pub(super) fn verify<S: Source>(
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
