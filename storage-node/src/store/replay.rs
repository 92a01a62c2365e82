//! Replay: reads the part of the log that the index does not cover, after a start.

use std::collections::BTreeSet;

use cairn_protocol::storage::StorageError;

use super::disk::Disk;
use super::error::OpenError;
use super::index::{Entry, Index};
use super::records::{Found, Scan, SettledScan, Verdict};
use super::volume_files::volume_name;
use crate::format::{BLOCK_BYTES, BlockError, BlockKind, IdentityBlock, Place, VOLUME_DATA_START};

/// Changes in memory after which a long replay writes a checkpoint.
const CHANGES_MAX: usize = 250_000;

/// Brings an index up to date.
pub(crate) struct Replay<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) index: &'a Index,
    /// The index has a checkpoint: nothing before it has to be read.
    pub(crate) had_index: bool,
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
                Verdict::Torn(header) => {
                    tracing::info!(path = %self.disk.path, shard = %header.shard, place = %header.place, "a torn write");
                    self.index.state().volumes.reach(header.place, header.record_bytes());
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
                let located = self.index.locate_all(&tombstone.shards).map_err(index_failed)?;
                let mut state = self.index.state();
                state.volumes.reach(place, header.record_bytes());
                state.volumes.tombstone(place, header.record_bytes());
                for (shard, located) in tombstone.shards.into_iter().zip(located) {
                    state.delete(place, shard, located.entry);
                }
            }
            Found::Unfinished(header) => {
                let mut state = self.index.state();
                state.volumes.reach(header.place, header.record_bytes());
                // Not acknowledged, so its space is free again. Where the index was lost, an acknowledged record whose
                // end is damaged would look the same, and is left alone.
                if self.had_index {
                    state.free(header.place, header.record_bytes());
                }
            }
            Found::Gap(range) => {
                tracing::debug!(path = %self.disk.path, volume, ?range, "no record: punched or damaged");
            }
        }
        Ok(())
    }
}
