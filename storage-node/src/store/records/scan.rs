//! Reading the records of a volume in order.

use std::io;
use std::sync::Arc;

use cairn_protocol::storage::StorageErrorKind;

use super::reader::{FileSource, RecordReader};
use crate::disk_io::DiskFile;
use crate::format::{
    DiskIdentity, FOOTER_BYTES, Footer, HEADER_BYTES, HeaderError, Place, RECORD_ALIGN, RecordHeader, RecordKind,
    Tombstone, VolumeKey,
};
use crate::store::fault::classify;

/// Bytes that are read at a time.
const WINDOW_BYTES: usize = 1 << 20;
/// Bytes that are skipped where a read fails.
const UNREADABLE_BYTES: u64 = 4096;

/// Something in a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// A shard, even with a damaged footer: its cells have checksums of their own.
    Shard(RecordHeader),
    /// A shard whose write never ended, and which was therefore never acknowledged.
    Unfinished(RecordHeader),
    Tombstone(RecordHeader, Tombstone),
    /// Bytes that are no record: damage, or the hole that deletions left.
    Gap(std::ops::Range<u64>),
}

impl Found {
    /// Where it begins, in bytes from the start of the volume.
    pub(crate) fn offset(&self) -> u64 {
        match self {
            Self::Shard(header) | Self::Unfinished(header) | Self::Tombstone(header, _) => header.place.offset,
            Self::Gap(range) => range.start,
        }
    }

    pub(crate) fn end(&self) -> u64 {
        match self {
            Self::Shard(header) | Self::Unfinished(header) | Self::Tombstone(header, _) => {
                header.place.offset + header.record_bytes()
            }
            Self::Gap(range) => range.end,
        }
    }
}

/// Reads a volume's records in order.
pub(crate) struct Scan<'a> {
    file: &'a Arc<dyn DiskFile>,
    identity: &'a DiskIdentity,
    key: VolumeKey,
    volume: u32,
    offset: u64,
    length: u64,
    window_start: u64,
    window: Vec<u8>,
    content_end: u64,
    synced_before: u64,
}

impl<'a> Scan<'a> {
    /// Begins at `offset`.
    pub(crate) fn new(
        file: &'a Arc<dyn DiskFile>,
        identity: &'a DiskIdentity,
        volume: u32,
        offset: u64,
    ) -> io::Result<Self> {
        let (key, length) = (identity.volume_key(volume), file.length()?);
        Ok(Self {
            file,
            identity,
            key,
            volume,
            offset,
            length,
            window_start: 0,
            window: Vec::new(),
            content_end: offset,
            synced_before: 0,
        })
    }

    /// Where the next call continues.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Behind the last byte seen so far that is not zero.
    pub(crate) fn content_end(&self) -> u64 {
        self.content_end
    }

    /// Everything before this offset is settled, according to the records read so far.
    pub(crate) fn synced_before(&self) -> u64 {
        self.synced_before
    }

    /// What comes next in the volume; `None` at its end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        let start = self.offset;
        while self.offset < self.length {
            match self.record(self.offset)? {
                Some((header, checksum)) if start == self.offset => {
                    self.offset += header.record_bytes();
                    self.content_end = self.offset;
                    return self.describe(header, checksum).map(Some);
                }
                // The record is found again by the next call.
                Some(_) => return Ok(Some(Found::Gap(start..self.offset))),
                None => self.skip()?,
            }
        }
        Ok(None)
    }

    /// The record at `offset`, if a good header is there, with the header's checksum.
    fn record(&mut self, offset: u64) -> io::Result<Option<(RecordHeader, [u8; 32])>> {
        let place = Place { volume: self.volume, offset };
        let identity = *self.identity;
        let header = match self.bytes(offset, HEADER_BYTES)?.map(|fixed| RecordHeader::decode(&identity, place, fixed))
        {
            Some(Ok(header)) => header,
            Some(Err(HeaderError::Magic | HeaderError::Damaged | HeaderError::Misplaced)) | None => return Ok(None),
        };
        let key = self.key;
        let Some(record) = self.bytes(offset, header.body_start() as usize)? else { return Ok(None) };
        let Ok(checksum) = header.verify(&key, record) else { return Ok(None) };
        let synced_before = RecordHeader::synced_before(record);
        // A record can only settle what comes before it.
        if synced_before <= offset {
            self.synced_before = self.synced_before.max(synced_before);
        }
        Ok(Some((header, checksum)))
    }

    /// Moves on to where the next record may begin.
    fn skip(&mut self) -> io::Result<()> {
        if self.is_zero()? != Some(true) {
            self.content_end = self.offset + RECORD_ALIGN;
        }
        self.offset += RECORD_ALIGN;
        // Zeros are skipped within the window: holes can be large.
        while self.offset < self.length {
            match self.is_zero()? {
                Some(true) => self.offset += RECORD_ALIGN,
                Some(false) => return Ok(()),
                None => {
                    self.offset += UNREADABLE_BYTES;
                    self.content_end = self.offset;
                }
            }
        }
        Ok(())
    }

    /// Whether the sector at the offset is all zeros; `None` if it cannot be read.
    fn is_zero(&mut self) -> io::Result<Option<bool>> {
        let sector = RECORD_ALIGN.min(self.length - self.offset) as usize;
        Ok(self.bytes(self.offset, sector)?.map(|sector| sector.iter().all(|b| *b == 0)))
    }

    fn describe(&mut self, header: RecordHeader, checksum: [u8; 32]) -> io::Result<Found> {
        if header.kind == RecordKind::Tombstone {
            // The header's checksum covers its list. Whether its sync succeeded does not matter: the order that it records
            // was valid.
            let list = self.bytes(header.place.offset, header.body_start() as usize)?;
            let tombstone = list.and_then(|record| record.get(HEADER_BYTES..)).and_then(Tombstone::decode);
            let gap = header.place.offset..header.place.offset + header.record_bytes();
            return Ok(tombstone.map_or(Found::Gap(gap), |tombstone| Found::Tombstone(header, tombstone)));
        }
        let key = self.key;
        let footer = self.bytes(header.place.offset + header.footer_start(), FOOTER_BYTES)?;
        let written = match footer {
            Some(footer) => {
                let good = Footer::ends(&key, &checksum, footer);
                let empty = footer.iter().all(|b| *b == 0);
                good || !empty
            }
            None => false,
        };
        if written || self.cells_verify(&header) { Ok(Found::Shard(header)) } else { Ok(Found::Unfinished(header)) }
    }

    /// Whether a shard that was found is there to its last byte. Its footer may have reached the disk without its cells.
    pub(crate) fn is_whole(&self, header: &RecordHeader) -> bool {
        header.geometry.stripes() == 0 || self.cells_verify(header)
    }

    /// Whether all cells verify, whatever its footer. What can still be read is kept.
    fn cells_verify(&self, header: &RecordHeader) -> bool {
        let Ok(mut record) = RecordReader::open(self.identity, header, FileSource(self.file)) else { return false };
        loop {
            match record.next_run() {
                Ok(Some(_)) => {}
                // A record without any cell needs its footer.
                Ok(None) => return header.geometry.stripes() > 0,
                Err(_) => return false,
            }
        }
    }

    /// `bytes` from `offset` on; `None` past the end, or if they cannot be read.
    fn bytes(&mut self, offset: u64, bytes: usize) -> io::Result<Option<&[u8]>> {
        let inside =
            |start: u64, window: &[u8]| offset >= start && offset + bytes as u64 <= start + window.len() as u64;
        if !inside(self.window_start, &self.window) {
            if offset + bytes as u64 > self.length {
                return Ok(None);
            }
            // One unreadable sector must not hide its neighbours: try again with no more than is needed.
            let read = self.file.read_at(WINDOW_BYTES.max(bytes), offset);
            self.window = match read.or_else(|_| self.file.read_at(bytes, offset)) {
                Ok(window) => window,
                Err(e) if classify(&e) == StorageErrorKind::Failed => {
                    return Ok(None);
                }
                Err(e) => return Err(e),
            };
            self.window_start = offset;
            if !inside(self.window_start, &self.window) {
                return Ok(None);
            }
        }
        let from = (offset - self.window_start) as usize;
        Ok(self.window.get(from..from + bytes))
    }
}
