//! Reading all volumes of a disk, as replay does after the loss of the index.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_core::shard::ShardId;

use super::error::InspectError;
use super::opened_disk::OpenedDisk;
use super::report::{Problem, VolumeReport};
use crate::disk_io::DiskFile;
use crate::format::{
    BLOCK_BYTES, BlockKind, FOOTER_MAGIC, IdentityBlock, RECORD_ALIGN, RecordHeader, RecordKind, VOLUME_DATA_START,
};
use crate::store::index::{Entry, Known, State};
use crate::store::records::{FileSource, Found, Scan, SettledScan, Verdict, verify};

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
        let mut end = VOLUME_DATA_START;
        while let Some(verdict) = records.next().map_err(failed)? {
            if let Verdict::Counts(Found::Gap(range)) = &verdict
                && verify
            {
                self.check_gap(file, number, range.start).map_err(failed)?;
            }
            end = verdict.end();
            match verdict {
                Verdict::Counts(found) => self.take(number, found),
                Verdict::Torn(_) => self.seen.entry(number).or_default().report.unfinished += 1,
            }
        }
        if verify && ends_a_record(file, end).map_err(failed)? {
            self.check_gap(file, number, end).map_err(failed)?;
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
            Found::Gap(_) => {}
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

    /// A gap begins where a record should. A hole has zeros there; anything else was a header once.
    fn check_gap(&mut self, file: &Arc<dyn DiskFile>, number: u32, start: u64) -> std::io::Result<()> {
        let sector = file.read_at(RECORD_ALIGN as usize, start)?;
        if sector.iter().any(|byte| *byte != 0) {
            let what = "a record's header is damaged; which shard it was, if it was alive, the server's scrub tells";
            self.problems.push(Problem { volume: number, offset: start, shard: None, what: what.to_owned() });
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
