//! Reading cells and listing shards, on threads of the disk's own.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use cairn_core::geometry::Geometry;
use cairn_core::shard::{ShardHeader, ShardId, body_range};
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::entry::Entry;
use super::options::INVENTORY_PAGE_MAX;
use super::queue::Worker;
use super::shared::{Reply, Shared};
use super::state::Known;
use crate::format::{HEADER_BYTES, RecordHeader};

/// What the read threads are asked to do.
pub(super) enum ReadRequest {
    /// Read cells.
    Cells { wanted: Wanted, reply: Reply<Bytes> },
    /// Read what a shard says of itself.
    Describe { shard: ShardId, reply: Reply<ShardHeader> },
    /// List shards.
    Page { after: Option<ShardId>, limit: u32, reply: Reply<Vec<ShardId>> },
}

/// Cells that somebody asks for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) shard: ShardId,
    pub(super) geometry: Geometry,
    pub(super) stripes: Range<u32>,
}

/// Runs until the queue is closed and empty.
pub(super) fn run(shared: &Arc<Shared>) {
    let mut worker = shared.reads.worker();
    while let Some(request) = worker.next() {
        match request {
            // Nobody waits for an answer that was given up; the disk has better things to do.
            ReadRequest::Cells { reply, .. } if reply.is_closed() => {}
            ReadRequest::Cells { wanted, reply } => drop(reply.send(read(shared, &wanted, &mut worker))),
            ReadRequest::Describe { shard, reply } => {
                worker.will_block();
                drop(reply.send(describe(shared, shard)));
            }
            ReadRequest::Page { after, limit, reply } => {
                worker.will_block();
                drop(reply.send(page(shared, after, limit)));
            }
        }
    }
}

/// Attempts to read a shard that moves while it is being read.
const ATTEMPTS_MAX: usize = 4;

fn read(shared: &Shared, wanted: &Wanted, worker: &mut Worker<'_, ReadRequest>) -> Result<Bytes, StorageError> {
    for _ in 0..ATTEMPTS_MAX {
        let deaths = shared.state().deaths;
        let located = shared.locate(&[wanted.shard])?;
        let Some(entry) = located.entries.first().copied().flatten() else {
            return Err(shared.error(StorageErrorKind::Missing, format_args!("{} is not here", wanted.shard)));
        };
        shared.state().remember(wanted.shard, entry, located.generation);
        let body = read_entry_cached(shared, &entry, wanted).map_or_else(
            || {
                worker.will_block();
                read_entry(shared, &entry, wanted)
            },
            Ok,
        );
        // A record that dies is punched: what was read then is not what was stored.
        if shared.state().deaths == deaths || shared.locate(&[wanted.shard])?.entries == [Some(entry)] {
            return body;
        }
    }
    Err(shared.error(StorageErrorKind::Busy, format_args!("{} keeps moving", wanted.shard)))
}

/// Reads from memory alone: the location must be known and the bytes in the page cache. Nothing if that is not so, or
/// if the outcome is anything but good.
pub(super) fn read_cached(shared: &Shared, wanted: &Wanted) -> Option<Bytes> {
    let (known, deaths) = {
        let state = shared.state();
        (state.known(wanted.shard), state.deaths)
    };
    let Known::Present(entry) = known else { return None };
    let body = read_entry_cached(shared, &entry, wanted)?;
    (shared.state().deaths == deaths).then_some(body)
}

fn read_entry_cached(shared: &Shared, entry: &Entry, wanted: &Wanted) -> Option<Bytes> {
    let file = shared.files.opened(entry.place.volume)?;
    let span = span(entry, wanted);
    let bytes = file.read_cached((span.end - span.start) as usize, entry.place.offset + span.start)?;
    body_of(shared, entry, wanted, bytes).ok()
}

/// The bytes of the record to read: the header too where it is on the way, that is, from the first cell on.
fn span(entry: &Entry, wanted: &Wanted) -> Range<u64> {
    let header = entry.header(wanted.shard);
    let body = body_range(&entry.geometry, &wanted.stripes);
    let start = if wanted.stripes.start == 0 { 0 } else { header.body_start() + body.start };
    start..header.body_start() + body.end
}

fn read_entry(shared: &Shared, entry: &Entry, wanted: &Wanted) -> Result<Bytes, StorageError> {
    let file = shared.files.get(entry.place.volume).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            shared.error(StorageErrorKind::Missing, format_args!("the file of volume {} is gone", entry.place.volume))
        }
        _ => shared.io_error("opening a volume", &error),
    })?;
    let span = span(entry, wanted);
    // A read that fails is the disk's failure, not the shard's: it says nothing about what is stored (I9).
    let bytes = file
        .read_at((span.end - span.start) as usize, entry.place.offset + span.start)
        .map_err(|error| shared.io_error(&format!("reading {} at {}", wanted.shard, entry.place), &error))?;
    body_of(shared, entry, wanted, bytes)
}

/// The cells in what was read, after a check of the header where it was read along. Reads that begin further in rely
/// on the cells' own checksums, which are bound to extent, shard and stripe.
fn body_of(shared: &Shared, entry: &Entry, wanted: &Wanted, bytes: Vec<u8>) -> Result<Bytes, StorageError> {
    let corrupt = |what: &str| {
        let detail = format!("{} at {}: {what}", wanted.shard, entry.place);
        shared.error(StorageErrorKind::Corrupt, detail)
    };
    if entry.geometry != wanted.geometry {
        return Err(corrupt("the shard on disk has another shape than the one that is asked for"));
    }
    let mut bytes = Bytes::from(bytes);
    if wanted.stripes.start == 0 {
        let header = entry.header(wanted.shard);
        let key = shared.identity.volume_key(entry.place.volume);
        let found = RecordHeader::decode(&shared.identity, entry.place, &bytes);
        let found = found.and_then(|found| found.verify(&key, &bytes).map(|_| found));
        if found.map_err(|e| corrupt(&e.to_string()))? != header {
            return Err(corrupt("another record lies here"));
        }
        bytes.advance((header.body_start() as usize).min(bytes.len()));
    }
    let range = body_range(&entry.geometry, &wanted.stripes);
    if bytes.len() as u64 != range.end - range.start {
        return Err(corrupt("the volume ends inside it"));
    }
    Ok(bytes)
}

/// Reads a record's header and descriptor, and checks them.
fn describe(disk: &Shared, shard: ShardId) -> Result<ShardHeader, StorageError> {
    for _ in 0..ATTEMPTS_MAX {
        let located = disk.locate(&[shard])?;
        let Some(entry) = located.entries.first().copied().flatten() else {
            return Err(disk.error(StorageErrorKind::Missing, format_args!("{shard} is not here")));
        };
        let described = describe_entry(disk, &entry, shard);
        // As for cells: what lies where a record has died meanwhile is nobody's.
        if described.is_ok() || disk.locate(&[shard])?.entries == [Some(entry)] {
            return described;
        }
    }
    Err(disk.error(StorageErrorKind::Busy, format_args!("{shard} keeps moving")))
}

fn describe_entry(disk: &Shared, entry: &Entry, shard: ShardId) -> Result<ShardHeader, StorageError> {
    let place = entry.place;
    let file = disk.files.get(place.volume).map_err(|e| disk.io_error("opening a volume", &e))?;
    let header = entry.header(shard);
    let bytes = file.read_at(header.body_start() as usize, place.offset);
    let bytes = bytes.map_err(|e| disk.io_error(&format!("reading {shard} at {place}"), &e))?;
    let corrupt = |what: String| disk.error(StorageErrorKind::Corrupt, format_args!("{shard} at {place}: {what}"));
    let found = RecordHeader::decode(&disk.identity, place, &bytes);
    let key = disk.identity.volume_key(place.volume);
    let found = found.and_then(|found| found.verify(&key, &bytes).map(|_| found));
    if found.map_err(|e| corrupt(e.to_string()))? != header {
        return Err(corrupt("another record lies here".to_owned()));
    }
    let descriptor = Bytes::from(bytes).split_off(HEADER_BYTES);
    Ok(header.into_shard(descriptor))
}

fn page(shared: &Shared, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
    let entries = entries(shared, after, limit.min(INVENTORY_PAGE_MAX) as usize)?;
    Ok(entries.into_iter().map(|(shard, _)| shard).collect())
}

/// At most `limit` shards after `after` with where they lie, in order; fewer only at the end.
pub(super) fn entries(
    shared: &Shared,
    after: Option<ShardId>,
    limit: usize,
) -> Result<Vec<(ShardId, Entry)>, StorageError> {
    let mut found: Vec<(ShardId, Entry)> = Vec::new();
    let mut after = after;
    loop {
        let generation = shared.state().base_generation;
        let base = shared.base.page(after, limit).map_err(|e| shared.index_error(&e))?;
        let until = base.last().map(|(shard, _)| *shard).filter(|_| base.len() == limit);
        let changes = {
            let state = shared.state();
            if state.base_generation != generation {
                // A checkpoint came between: its changes are in neither.
                continue;
            }
            state.changes_after(after, until)
        };
        let mut page: BTreeMap<ShardId, Entry> = base.into_iter().collect();
        for (shard, entry) in changes {
            match entry {
                Some(entry) => page.insert(shard, entry),
                None => page.remove(&shard),
            };
        }
        found.extend(page);
        if found.len() >= limit || until.is_none() {
            found.truncate(limit);
            return Ok(found);
        }
        after = until;
    }
}
