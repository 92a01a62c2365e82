//! Replay: reads the part of the log that the index does not cover, after a start.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{ScrubFinding, StorageError};

use super::disk::Disk;
use super::error::OpenError;
use super::index::{Entry, Index, Located};
use super::records::{Found, Scan, SettledScan, Unread, Verdict};
use super::volume_files::volume_name;
use crate::format::{BLOCK_BYTES, BlockError, BlockKind, IdentityBlock, Place, RecordHeader, VOLUME_DATA_START};

/// Changes in memory after which a long replay writes a checkpoint.
const CHANGES_MAX: usize = 250_000;

/// Brings an index up to date.
pub(crate) struct Replay<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) index: &'a Index,
    /// The index has a checkpoint: nothing before it has to be read.
    pub(crate) had_index: bool,
    /// Shards with a record that is not whole, and where it is.
    pub(crate) not_whole: RefCell<BTreeMap<ShardId, Place>>,
}

impl Replay<'_> {
    /// Replays the log of these volumes, from a place on.
    pub(crate) fn run(&self, volumes: &[u32], from: Place) -> Result<(), OpenError> {
        for volume in volumes {
            self.check_header(*volume)?;
            self.index.state().volumes.add(*volume);
        }
        for volume in volumes.iter().copied().filter(|v| *v >= from.volume) {
            let offset = if volume == from.volume { from.offset } else { VOLUME_DATA_START };
            self.scan(volume, offset)?;
        }
        Ok(())
    }

    fn failed(&self, what: &'static str) -> impl Fn(std::io::Error) -> OpenError {
        let path = self.disk.path.clone();
        move |source| OpenError::Io { path: path.clone(), what, source }
    }

    /// A volume of another disk or a later release keeps the disk out of service. A damaged header does not: the
    /// records have checksums of their own.
    fn check_header(&self, volume: u32) -> Result<(), OpenError> {
        let file = self.disk.files.get(volume).map_err(self.failed("opening a volume"))?;
        let foreign = |detail: String| OpenError::ForeignVolume {
            path: self.disk.path.clone(),
            file: volume_name(volume),
            detail,
        };
        let block = match file.read_at(BLOCK_BYTES, 0) {
            Ok(block) => IdentityBlock::decode(BlockKind::Volume(volume), &block),
            Err(error) => return Err(self.failed("reading a volume's header")(error)),
        };
        match block {
            Ok(block) if block.identity == self.disk.identity => Ok(()),
            Ok(block) => Err(foreign(format!("it belongs to disk {}", block.identity.disk))),
            Err(error @ (BlockError::Newer { .. } | BlockError::Number { .. })) => Err(foreign(error.to_string())),
            Err(error) => {
                tracing::warn!(path = %self.disk.path, volume, %error, "a volume's header is not readable");
                Ok(())
            }
        }
    }

    fn scan(&self, volume: u32, offset: u64) -> Result<(), OpenError> {
        let failed = self.failed("reading a volume");
        let file = self.disk.files.get(volume).map_err(&failed)?;
        // A record may be whole in the page cache and not on the disk: its process was killed before its sync, or the
        // sync failed. From here on it counts and what it replaces is punched, so it is made durable first, and what
        // is read is what the disk has (I2).
        file.sync().map_err(&failed)?;
        file.drop_cached();
        let scan = Scan::new(&file, &self.disk.identity, volume, offset).map_err(&failed)?;
        let mut records = SettledScan::new(scan);
        while let Some(verdict) = records.next().map_err(&failed)? {
            match verdict {
                Verdict::Counts(found) => self.replay(volume, found)?,
                // What it would have replaced still counts; its bytes are left alone.
                Verdict::Torn(header) => self.note_not_whole(&header),
                Verdict::CutOff(header) => {
                    self.note_not_whole(&header);
                    // Where the index was lost, an acknowledged record whose end is damaged would look the same.
                    if self.had_index {
                        self.index.state().free(header.place, header.record_bytes());
                    }
                }
            }
            if self.index.state().changes() >= CHANGES_MAX {
                let position = Place { volume, offset: records.offset() };
                let written = self.index.write_checkpoint(Some(position), BTreeSet::new());
                written.map_err(|source| OpenError::Index { path: self.disk.path.clone(), source })?;
            }
        }
        self.release(volume, records.scan());
        Ok(())
    }

    /// The record of a shard does not count, because it is not whole.
    fn note_not_whole(&self, header: &RecordHeader) {
        tracing::info!(path = %self.disk.path, shard = %header.shard, place = %header.place, "a record that is not whole");
        self.index.state().volumes.reach(header.place, header.record_bytes());
        self.not_whole.borrow_mut().insert(header.shard, header.place);
    }

    /// The shards that have a record which is not whole, and none that counts. Such a write was cut off, as far as anybody
    /// can tell; but if the shard was acknowledged, metadata knows, and has it rebuilt.
    pub(crate) fn findings(self) -> Result<Vec<ScrubFinding>, OpenError> {
        let index_failed = |e: StorageError| self.failed("reading the index")(std::io::Error::other(e));
        let not_whole = self.not_whole.take();
        let shards: Vec<ShardId> = not_whole.keys().copied().collect();
        let located = self.index.locate_all(&shards).map_err(index_failed)?;
        let absent = not_whole.into_iter().zip(located).filter(|(_, located)| located.entry.is_none());
        let finding = |((shard, place), _): ((ShardId, Place), Located)| {
            let detail = format!("{shard} at {place} of {}: its record is not whole", self.disk.path);
            ScrubFinding { shard, kind: ShardReportKind::Missing, detail }
        };
        Ok(absent.map(finding).collect())
    }

    /// Frees the blocks that were allocated ahead when the process stopped. Only zeros are given back.
    fn release(&self, volume: u32, scan: &Scan<'_>) {
        let end = scan.content_end().max(VOLUME_DATA_START).next_multiple_of(4096);
        self.index.state().release(volume, end..scan.offset().max(end));
    }

    fn replay(&self, volume: u32, found: Found) -> Result<(), OpenError> {
        let index_failed = |e: StorageError| self.failed("reading the index")(std::io::Error::other(e));
        match found {
            Found::Shard(header) => {
                let current = self.index.locate(header.shard).map_err(index_failed)?.entry;
                let mut state = self.index.state();
                state.volumes.reach(header.place, header.record_bytes());
                state.put(header.shard, Entry::of(&header), current);
            }
            Found::Tombstone(header, tombstone) => {
                let place = header.place;
                self.not_whole.borrow_mut().retain(|shard, _| !tombstone.shards.contains(shard));
                let located = self.index.locate_all(&tombstone.shards).map_err(index_failed)?;
                let mut state = self.index.state();
                state.volumes.reach(place, header.record_bytes());
                state.volumes.tombstone(place, header.record_bytes());
                for (shard, located) in tombstone.shards.into_iter().zip(located) {
                    state.delete(place, shard, located.entry);
                }
            }
            // Given up, or damaged since: its bytes are left alone.
            Found::Unfinished(header) => self.note_not_whole(&header),
            Found::Gap(range) => tracing::debug!(path = %self.disk.path, volume, ?range, "a hole"),
            Found::Remains(range) => {
                tracing::info!(path = %self.disk.path, volume, ?range, "no record: left by a deletion, or damaged");
                self.index.state().set_doubt(true);
            }
            Found::Unread(Unread { range, error: source }) => {
                let (path, file) = (self.disk.path.clone(), volume_name(volume));
                return Err(OpenError::Unreadable { path, file, offset: range.start, source });
            }
        }
        Ok(())
    }
}
