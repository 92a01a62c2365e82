//! Reading the records of a volume in order.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use cairn_protocol::storage::StorageErrorKind;

use super::reader::{FileSource, ReadError, RecordReader};
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

/// Bytes of a volume that the disk did not give. What they hold is unknown.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) range: Range<u64>,
    pub(crate) error: io::Error,
}

/// Something in a volume.
#[derive(Debug)]
pub(crate) enum Found {
    /// A shard, even with a damaged footer: its cells have checksums of their own.
    Shard(RecordHeader),
    /// A shard whose write never ended, and which was therefore never acknowledged.
    Unfinished(RecordHeader),
    Tombstone(RecordHeader, Tombstone),
    /// Zeros: a hole.
    Gap(Range<u64>),
    /// Bytes that are no record, and not only zeros: deletions and cut-off writes leave such bytes, but so does damage.
    /// Only metadata knows whether something is missing.
    Remains(Range<u64>),
    Unread(Unread),
}

impl Found {
    /// Where it begins, in bytes from the start of the volume.
    pub(crate) fn offset(&self) -> u64 {
        match self {
            Self::Shard(header) | Self::Unfinished(header) | Self::Tombstone(header, _) => header.place.offset,
            Self::Gap(range) | Self::Remains(range) | Self::Unread(Unread { range, .. }) => range.start,
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
        match self.advance() {
            // A read that failed says nothing about what is there: the scan goes on behind it.
            Err(error) if classify(&error) == StorageErrorKind::Failed => {
                let range = self.offset..(self.offset + 1).next_multiple_of(UNREADABLE_BYTES).min(self.length);
                (self.offset, self.content_end) = (range.end, range.end);
                Ok(Some(Found::Unread(Unread { range, error })))
            }
            found => found,
        }
    }

    fn advance(&mut self) -> io::Result<Option<Found>> {
        let start = self.offset;
        while self.offset < self.length {
            let looked = match self.record(self.offset) {
                // What lies before the failure is told first; the next call meets it again.
                Err(_) if start < self.offset => return Ok(Some(self.between(start))),
                looked => looked?,
            };
            match looked {
                Some((header, checksum)) if start == self.offset => {
                    let found = self.describe(header, checksum)?;
                    self.offset += header.record_bytes();
                    self.content_end = self.offset;
                    return Ok(Some(found));
                }
                // The record is found again by the next call.
                Some(_) => return Ok(Some(self.between(start))),
                None => self.skip()?,
            }
        }
        Ok((start < self.length).then(|| self.between(start)))
    }

    /// What lies between the record before `start` and the next one.
    fn between(&self, start: u64) -> Found {
        let range = start..self.offset;
        if self.content_end > start { Found::Remains(range) } else { Found::Gap(range) }
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

    /// Moves on to where the next record may begin. Zeros are skipped within the window: holes can be large.
    fn skip(&mut self) -> io::Result<()> {
        loop {
            let sector = RECORD_ALIGN.min(self.length - self.offset) as usize;
            let is_zero = self.bytes(self.offset, sector)?.is_none_or(is_zero);
            self.offset += RECORD_ALIGN;
            if !is_zero {
                self.content_end = self.offset;
            }
            if !is_zero || self.offset >= self.length || !self.is_zero_next() {
                return Ok(());
            }
        }
    }

    fn describe(&mut self, header: RecordHeader, checksum: [u8; 32]) -> io::Result<Found> {
        if header.kind == RecordKind::Tombstone {
            // The header's checksum covers its list. Whether its sync succeeded does not matter: the order that it records
            // was valid.
            let list = self.bytes(header.place.offset, header.body_start() as usize)?;
            let tombstone = list.and_then(|record| record.get(HEADER_BYTES..)).and_then(Tombstone::decode);
            let range = header.place.offset..header.place.offset + header.record_bytes();
            return Ok(tombstone.map_or(Found::Remains(range), |tombstone| Found::Tombstone(header, tombstone)));
        }
        if self.is_ended(&header, &checksum)? || self.cells_verify(&header)? {
            return Ok(Found::Shard(header));
        }
        // Its space may be punched because of what was read, so it is read again, from the disk.
        self.window.clear();
        self.file.drop_cached();
        let is_ended = self.is_ended(&header, &checksum)? || self.cells_verify(&header)?;
        Ok(if is_ended { Found::Shard(header) } else { Found::Unfinished(header) })
    }

    /// Whether a footer was written, even if it is damaged.
    fn is_ended(&mut self, header: &RecordHeader, checksum: &[u8; 32]) -> io::Result<bool> {
        let key = self.key;
        let footer = self.bytes(header.place.offset + header.footer_start(), FOOTER_BYTES)?;
        Ok(footer.is_some_and(|footer| Footer::ends(&key, checksum, footer) || !is_zero(footer)))
    }

    /// Whether zeros follow in the window. Anything else, and what is not there, is looked at properly.
    fn is_zero_next(&self) -> bool {
        let from = (self.offset - self.window_start) as usize;
        self.window.get(from..from + RECORD_ALIGN as usize).is_some_and(is_zero)
    }

    /// Whether a shard that was found is there to its last byte. Its footer may have reached the disk without its cells.
    pub(crate) fn is_whole(&self, header: &RecordHeader) -> io::Result<bool> {
        if header.geometry.stripes() == 0 || self.cells_verify(header)? {
            return Ok(true);
        }
        self.file.drop_cached();
        self.cells_verify(header)
    }

    /// Whether all cells verify, whatever its footer. What can still be read is kept.
    fn cells_verify(&self, header: &RecordHeader) -> io::Result<bool> {
        let verified = RecordReader::open(self.identity, header, FileSource(self.file)).and_then(|mut record| {
            while record.next_run()?.is_some() {}
            // A record without any cell needs its footer.
            Ok(header.geometry.stripes() > 0)
        });
        match verified {
            Ok(verified) => Ok(verified),
            Err(ReadError::Damaged(_)) => Ok(false),
            Err(ReadError::Source(error)) => Err(error),
        }
    }

    /// `bytes` from `offset` on; `None` past the end.
    fn bytes(&mut self, offset: u64, bytes: usize) -> io::Result<Option<&[u8]>> {
        let inside =
            |start: u64, window: &[u8]| offset >= start && offset + bytes as u64 <= start + window.len() as u64;
        if !inside(self.window_start, &self.window) {
            if offset + bytes as u64 > self.length {
                return Ok(None);
            }
            // One unreadable sector must not hide its neighbours: try again with no more than is needed.
            let read = self.file.read_at(WINDOW_BYTES.max(bytes), offset);
            self.window.clear();
            self.window = read.or_else(|_| self.file.read_at(bytes, offset))?;
            self.window_start = offset;
            if !inside(self.window_start, &self.window) {
                return Ok(None);
            }
        }
        let from = (offset - self.window_start) as usize;
        Ok(self.window.get(from..from + bytes))
    }
}

/// Whether there is nothing but zeros.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}
