//! The group of records that the log thread gathers and writes at once.

use std::ops::Range;

use cairn_core::cell::Cell;
use tokio::sync::OwnedSemaphorePermit;

use crate::format::{DiskIdentity, Footer, RecordHeader, VolumeKey};
use crate::store::requests::{Change, Region, Reply};

/// What happens with a record once it is written.
pub(crate) enum Next {
    Sync {
        change: Change,
        reply: Reply<()>,
    },
    Stream {
        admission: OwnedSemaphorePermit,
        header_checksum: [u8; 32],
        reply: Reply<Region>,
    },
    /// As `Stream`, for a record that moves.
    Copy {
        header_checksum: [u8; 32],
        reply: Reply<Option<Region>>,
    },
}

/// A record in the group.
pub(crate) struct GatheredRecord {
    pub(crate) header: RecordHeader,
    pub(crate) next: Next,
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

/// Bytes that go to one place of the volume, and the records in them.
pub(crate) struct Run {
    pub(crate) offset: u64,
    /// Where the bytes are in the group's buffer.
    pub(crate) bytes: Range<usize>,
    pub(crate) records: Vec<GatheredRecord>,
}

/// The group that is being gathered.
#[derive(Default)]
pub(crate) struct Group {
    buffer: Vec<u8>,
    runs: Vec<Run>,
}

impl Group {
    /// Bytes gathered so far.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Begins a record with its header and descriptor; returns the header's checksum. Everything in the volume before
    /// `synced_before` is settled.
    pub(crate) fn begin_record(
        &mut self,
        identity: &DiskIdentity,
        key: &VolumeKey,
        header: &RecordHeader,
        synced_before: u64,
        descriptor: &[u8],
    ) -> [u8; 32] {
        let (start, offset) = (self.buffer.len(), header.place.offset);
        let continues = self.runs.last().is_some_and(|run| run.offset + run.bytes.len() as u64 == offset);
        if !continues {
            self.runs.push(Run { offset, bytes: start..start, records: Vec::new() });
        }
        header.encode(identity, key, synced_before, descriptor, &mut self.buffer)
    }

    /// Appends cells, a checksum after each, and adds them to the footer.
    pub(crate) fn append_cells(&mut self, cells: &[Cell], footer: &mut Footer) {
        for cell in cells {
            footer.add(&cell.checksum);
            self.buffer.extend_from_slice(&cell.data);
            self.buffer.extend_from_slice(&cell.checksum.0);
        }
    }

    /// Appends a body as it is on disk.
    pub(crate) fn append_body(&mut self, body: &[u8]) {
        self.buffer.extend_from_slice(body);
    }

    /// Ends a record whose bytes are all in the group.
    pub(crate) fn end_record(
        &mut self,
        header: RecordHeader,
        footer: &[u8],
        next: Next,
        memory: Option<OwnedSemaphorePermit>,
    ) {
        self.buffer.extend_from_slice(footer);
        if let Some(run) = self.runs.last_mut() {
            let end = run.bytes.start as u64 + (header.place.offset - run.offset) + header.record_bytes();
            self.buffer.resize(end as usize, 0);
            run.bytes.end = end as usize;
            run.records.push(GatheredRecord { header, next, memory });
        }
    }

    /// Ends the group's part of a record whose body somebody else writes.
    pub(crate) fn end_head(&mut self, header: RecordHeader, next: Next) {
        if let Some(run) = self.runs.last_mut() {
            run.bytes.end = self.buffer.len();
            run.records.push(GatheredRecord { header, next, memory: None });
        }
    }

    /// Takes the runs that are to be written; their bytes stay until [`Group::clear`].
    pub(crate) fn take_runs(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.runs)
    }

    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// Forgets the bytes and keeps at most `bytes_max` of memory for the next group.
    pub(crate) fn clear(&mut self, bytes_max: usize) {
        self.buffer.clear();
        self.buffer.shrink_to(bytes_max);
    }
}
