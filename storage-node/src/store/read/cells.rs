//! Reading cells.

use std::ops::Range;

use bytes::{Buf, Bytes};
use cairn_core::shard::body_range;
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use crate::format::{DiskIdentity, RecordHeader};
use crate::store::disk::Disk;
use crate::store::index::{Entry, Index, Known};
use crate::store::requests::WantedCells;

/// Attempts to read a shard that moves while it is being read.
pub(crate) const ATTEMPTS_MAX: usize = 4;

/// Reads cells as they are on disk, a checksum after each. `will_block` is called before a read that waits for the
/// device.
pub(crate) fn read_cells(
    disk: &Disk,
    index: &Index,
    wanted: &WantedCells,
    mut will_block: impl FnMut(),
) -> Result<Bytes, StorageError> {
    for _ in 0..ATTEMPTS_MAX {
        let deaths = index.state().deaths;
        let located = index.locate(wanted.shard)?;
        let Some(entry) = located.entry else {
            return Err(disk.error(StorageErrorKind::Missing, format_args!("{} is not here", wanted.shard)));
        };
        index.state().remember(wanted.shard, entry, located.generation);
        let body = read_entry_cached(disk, &entry, wanted).map_or_else(
            || {
                will_block();
                read_entry(disk, &entry, wanted)
            },
            Ok,
        );
        // A record that dies is punched: what was read then is not what was stored.
        if index.state().deaths == deaths || index.locate(wanted.shard)?.entry == Some(entry) {
            return body;
        }
    }
    Err(disk.error(StorageErrorKind::Busy, format_args!("{} keeps moving", wanted.shard)))
}

/// Reads from memory alone: the location must be known and the bytes in the page cache. `None` if they are not, or if
/// anything is wrong with them.
pub(crate) fn read_cached(disk: &Disk, index: &Index, wanted: &WantedCells) -> Option<Bytes> {
    let (known, deaths) = {
        let state = index.state();
        (state.known(wanted.shard), state.deaths)
    };
    let Known::Present(entry) = known else { return None };
    let body = read_entry_cached(disk, &entry, wanted)?;
    (index.state().deaths == deaths).then_some(body)
}

fn read_entry_cached(disk: &Disk, entry: &Entry, wanted: &WantedCells) -> Option<Bytes> {
    let file = disk.files.opened(entry.place.volume)?;
    let span = span(entry, wanted);
    let bytes = file.read_cached((span.end - span.start) as usize, entry.place.offset + span.start)?;
    body_of(disk, entry, wanted, bytes).ok()
}

/// The bytes of the record to read; from the first cell on, the header is read too, because it is just before.
fn span(entry: &Entry, wanted: &WantedCells) -> Range<u64> {
    let header = entry.header(wanted.shard);
    let body = body_range(&entry.geometry, &wanted.stripes);
    let start = if wanted.stripes.start == 0 { 0 } else { header.body_start() + body.start };
    start..header.body_start() + body.end
}

fn read_entry(disk: &Disk, entry: &Entry, wanted: &WantedCells) -> Result<Bytes, StorageError> {
    let file = disk.files.get(entry.place.volume).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            disk.error(StorageErrorKind::Missing, format_args!("the file of volume {} is gone", entry.place.volume))
        }
        _ => disk.io_error("opening a volume", &error),
    })?;
    let span = span(entry, wanted);
    // A failed read is the disk's failure, not the shard's: it says nothing about what is stored (I9).
    let bytes = file
        .read_at((span.end - span.start) as usize, entry.place.offset + span.start)
        .map_err(|error| disk.io_error(&format!("reading {} at {}", wanted.shard, entry.place), &error))?;
    body_of(disk, entry, wanted, bytes)
}

/// The cells in the bytes of a [`span`]; the header is checked if it was read too. Reads that begin further in rely on the
/// cells' own checksums, which are bound to extent, shard and stripe.
fn body_of(disk: &Disk, entry: &Entry, wanted: &WantedCells, bytes: Vec<u8>) -> Result<Bytes, StorageError> {
    let corrupt = |what: &str| {
        let detail = format!("{} at {}: {what}", wanted.shard, entry.place);
        disk.error(StorageErrorKind::Corrupt, detail)
    };
    if entry.geometry != wanted.geometry {
        return Err(corrupt("the shard on disk has another shape than the one that is asked for"));
    }
    let mut bytes = Bytes::from(bytes);
    if wanted.stripes.start == 0 {
        let header = entry.header(wanted.shard);
        check_header(&disk.identity, &header, &bytes).map_err(|what| corrupt(&what))?;
        bytes.advance((header.body_start() as usize).min(bytes.len()));
    }
    let range = body_range(&entry.geometry, &wanted.stripes);
    if bytes.len() as u64 != range.end - range.start {
        return Err(corrupt("the volume ends inside it"));
    }
    Ok(bytes)
}

/// Checks that `bytes` begin with the record header `expected`; the error says what is wrong.
pub(crate) fn check_header(identity: &DiskIdentity, expected: &RecordHeader, bytes: &[u8]) -> Result<(), String> {
    let place = expected.place;
    let found = RecordHeader::decode(identity, place, bytes);
    let key = identity.volume_key(place.volume);
    let found = found.and_then(|found| found.verify(&key, bytes).map(|_| found)).map_err(|e| e.to_string())?;
    if found != *expected {
        return Err("another record lies here".to_owned());
    }
    Ok(())
}
