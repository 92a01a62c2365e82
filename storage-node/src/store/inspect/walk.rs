//! Reading all volumes of a disk, as replay does after the loss of the index.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_core::shard::ShardId;

use super::error::InspectError;
use super::opened_disk::OpenedDisk;
use super::report::{Problem, VolumeReport};
use crate::disk_io::DiskFile;
use crate::format::{
    BLOCK_BYTES, BlockKind, FOOTER_MAGIC, IdentityBlock, Place, RECORD_ALIGN, RecordHeader, RecordKind,
    VOLUME_DATA_START,
};
use crate::store::index::{Entry, Known, State};
use crate::store::records::{FileSource, Found, Scan, SettledScan, Unread, Verdict, is_zero, verify};

/// Bytes of a volume's end that are read at a time.
const TAIL_BYTES: usize = 1 << 20;

/// What was found so far. The state that replay uses decides which shards are live, so that both agree.
#[derive(Default)]
pub(crate) struct Walk {
    state: State,
    seen: BTreeMap<u32, Seen>,
    pub(crate) problems: Vec<Problem>,
}

#[derive(Default)]
struct Seen {
    report: VolumeReport,
    shard_bytes: u64,
}

impl Walk {
    /// Reads one volume; all have to be read, in the order of their numbers.
    pub(crate) fn volume(&mut self, disk: &OpenedDisk, number: u32, verify: bool) -> Result<(), InspectError> {
        let Some(file) = disk.volumes.get(&number) else { return Ok(()) };
        let failed = |source| InspectError::Volume { volume: number, source };
        if verify {
            self.check_header(disk, number, file).map_err(failed)?;
        }
        self.state.volumes.add(number);
        self.seen.entry(number).or_default().report.number = number;
        let scan = Scan::new(file, disk.identity(), number, VOLUME_DATA_START).map_err(failed)?;
        let mut records = SettledScan::new(scan);
        let mut remains = None;
        while let Some(verdict) = records.next().map_err(failed)? {
            if let Some(start) = remains.take() {
                self.check_remains(disk, file, Place { volume: number, offset: start }).map_err(failed)?;
            }
            match verdict {
                Verdict::Counts(Found::Remains(range)) => remains = Some(range.start).filter(|_| verify),
                Verdict::Counts(found) => self.take(number, found),
                Verdict::Torn(_) | Verdict::CutOff(_) => self.seen.entry(number).or_default().report.unfinished += 1,
            }
        }
        if let Some(offset) = remains
            && ends_a_record(file, offset).map_err(failed)?
        {
            self.check_remains(disk, file, Place { volume: number, offset }).map_err(failed)?;
        }
        Ok(())
    }

    fn take(&mut self, number: u32, found: Found) {
        let seen = self.seen.entry(number).or_default();
        match found {
            Found::Shard(header) => {
                seen.report.shard_records += 1;
                seen.shard_bytes += header.record_bytes();
                let current = self.current(header.shard);
                self.state.put(header.shard, Entry::of(&header), current);
            }
            Found::Tombstone(header, tombstone) => {
                seen.report.tombstones += 1;
                for shard in tombstone.shards {
                    let current = self.current(shard);
                    self.state.delete(header.place, shard, current);
                }
            }
            Found::Unfinished(_) => seen.report.unfinished += 1,
            Found::Gap(_) | Found::Remains(_) => {}
            Found::Unread(Unread { range, error }) => {
                let what =
                    format!("the disk does not give the bytes up to {}: {error}; what is there is unknown", range.end);
                self.problems.push(Problem { volume: number, offset: range.start, shard: None, what });
            }
        }
    }

    fn current(&self, shard: ShardId) -> Option<Entry> {
        match self.state.known(shard) {
            Known::Present(entry) => Some(entry),
            Known::Absent | Known::AskDatabase => None,
        }
    }

    fn check_header(&mut self, disk: &OpenedDisk, number: u32, file: &Arc<dyn DiskFile>) -> std::io::Result<()> {
        let block = IdentityBlock::decode(BlockKind::Volume(number), &file.read_at(BLOCK_BYTES, 0)?);
        let what = match block {
            Ok(block) if block.identity == *disk.identity() => return Ok(()),
            Ok(block) => format!("the volume belongs to disk {}", block.identity.disk),
            Err(error) => format!("the volume's header cannot be used: {error}"),
        };
        self.problems.push(Problem { volume: number, offset: 0, shard: None, what });
        Ok(())
    }

    /// Remains begin where a record should: with zeros, if its first block was punched, or with the header of a record whose
    /// later blocks were. Anything else was a good header once.
    fn check_remains(&mut self, disk: &OpenedDisk, file: &Arc<dyn DiskFile>, at: Place) -> std::io::Result<()> {
        let sector = file.read_at(RECORD_ALIGN as usize, at.offset)?;
        if !is_zero(&sector) && !was_punched(disk, file, at, &sector)? {
            let what = "a record's header is damaged; which shard it was, if it was alive, the server's scrub tells";
            let what = what.to_owned();
            self.problems.push(Problem { volume: at.volume, offset: at.offset, shard: None, what });
        }
        Ok(())
    }

    /// The headers of the live shards, in the order of their places.
    pub(crate) fn live(&self) -> Vec<RecordHeader> {
        let changes = self.state.changes_after(None, None);
        let mut live: Vec<RecordHeader> =
            changes.into_iter().filter_map(|(shard, entry)| Some(entry?.header(shard))).collect();
        live.sort_unstable_by_key(|header| header.place);
        live
    }

    /// The reports of the volumes, given the live shards.
    pub(crate) fn volumes(self, disk: &OpenedDisk, live: &[RecordHeader]) -> Result<Vec<VolumeReport>, InspectError> {
        let mut seen = self.seen;
        for header in live {
            if let Some(Seen { report, .. }) = seen.get_mut(&header.place.volume) {
                report.live_shards += 1;
                report.live_bytes += header.record_bytes();
            }
        }
        let complete = |number: u32, seen: Seen| {
            let Seen { mut report, shard_bytes } = seen;
            let failed = |source| InspectError::Volume { volume: number, source };
            report.dead_bytes = shard_bytes.saturating_sub(report.live_bytes);
            if let Some(file) = disk.volumes.get(&number) {
                report.file_bytes = file.length().map_err(failed)?;
                report.allocated_bytes = file.allocated_bytes().map_err(failed)?;
            }
            Ok(report)
        };
        seen.into_iter().map(|(number, seen)| complete(number, seen)).collect()
    }
}

/// Whether the header in `sector` does not verify because blocks of its descriptor were punched.
fn was_punched(disk: &OpenedDisk, file: &Arc<dyn DiskFile>, at: Place, sector: &[u8]) -> std::io::Result<bool> {
    let Ok(header) = RecordHeader::decode(disk.identity(), at, sector) else { return Ok(false) };
    let hole = (at.offset + 1).next_multiple_of(BLOCK_BYTES as u64);
    let end = at.offset + header.body_start();
    Ok(hole < end && is_zero(&file.read_at((end - hole) as usize, hole)?))
}

/// Whether a footer is between `start` and the end of the volume. If not, a write was cut off there before it was
/// acknowledged.
fn ends_a_record(file: &Arc<dyn DiskFile>, start: u64) -> std::io::Result<bool> {
    let mut at = start;
    loop {
        let piece = file.read_at(TAIL_BYTES, at)?;
        if piece.windows(FOOTER_MAGIC.len()).any(|bytes| bytes == FOOTER_MAGIC) {
            return Ok(true);
        }
        if piece.len() < TAIL_BYTES {
            return Ok(false);
        }
        at += (TAIL_BYTES - FOOTER_MAGIC.len()) as u64;
    }
}

/// Verifies every checksum of the live shards.
pub(crate) fn verify_shards(disk: &OpenedDisk, live: &[RecordHeader]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for header in live.iter().filter(|header| header.kind == RecordKind::Shard) {
        let place = header.place;
        let Some(file) = disk.volumes.get(&place.volume) else { continue };
        let what = match verify(disk.identity(), header, FileSource(file)) {
            Ok(Ok(())) => continue,
            Ok(Err(damage)) => damage.to_string(),
            // One unreadable sector is a finding like any other.
            Err(error) => format!("the disk does not give its bytes: {error}"),
        };
        problems.push(Problem { volume: place.volume, offset: place.offset, shard: Some(header.shard), what });
    }
    problems
}
