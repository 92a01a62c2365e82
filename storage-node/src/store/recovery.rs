//! Bringing a disk into service: superblock, index, and the part of the log that the index does not cover.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use cairn_core::clock::Clock;

use super::base::{Base, Checkpoint};
use super::error::OpenError;
use super::index_file::IndexFile;
use super::maintenance::{punch, set_spare_aside};
use super::options::{ExpectedDisk, StoreOptions};
use super::scan::{Found, Scan};
use super::shared::{LockedDisk, Shared};
use super::state::State;
use super::volume_files::{volume_name, volume_number};
use super::vouched::{Verdict, VouchedScan};
use crate::disk_io::DiskIo;
use crate::format::{BLOCK_BYTES, BlockError, BlockKind, DiskIdentity, IdentityBlock, Place, VOLUME_DATA_START};

/// The name of the superblock's file.
pub(super) const SUPERBLOCK: &str = "superblock";
/// Changes in memory after which a long recovery writes a checkpoint.
const RECOVERY_CHANGES_MAX: usize = 250_000;

/// Reads whose disk is in a directory, without taking it into service.
pub fn probe(io: &dyn DiskIo, path: &str) -> Result<DiskIdentity, OpenError> {
    let bytes = io.read_file(SUPERBLOCK).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotADisk { path: path.to_owned(), source },
        _ => OpenError::Io { path: path.to_owned(), what: "reading the superblock", source },
    })?;
    let block = IdentityBlock::decode(BlockKind::Superblock, &bytes);
    block.map(|b| b.identity).map_err(|source| OpenError::Superblock { path: path.to_owned(), source })
}

/// Makes a disk of an empty directory.
pub fn format(io: &dyn DiskIo, path: &str, block: &IdentityBlock) -> Result<(), OpenError> {
    let failed = |what| move |source| OpenError::Io { path: path.to_owned(), what, source };
    let not_empty = |found| OpenError::NotEmpty { path: path.to_owned(), found };
    io.create_folders().map_err(failed("making the directory"))?;
    if io.read_file(SUPERBLOCK).is_ok() {
        return Err(not_empty("a disk"));
    }
    if !io.list_volumes().map_err(failed("listing the volumes"))?.is_empty() {
        return Err(not_empty("volumes"));
    }
    io.remove_index().map_err(failed("removing an old index"))?;
    io.replace_file(SUPERBLOCK, &block.encode(BlockKind::Superblock)).map_err(failed("writing the superblock"))
}

/// What recovery hands to the threads.
pub(super) struct Recovered {
    pub(super) shared: Shared,
    pub(super) next_volume: u32,
}

/// Opens the disk `expected` and brings its index up to date.
pub(super) fn recover(
    disk: ExpectedDisk,
    options: StoreOptions,
    clock: Arc<dyn Clock>,
) -> Result<Recovered, OpenError> {
    let ExpectedDisk { io, path, cluster, disk } = disk;
    let path = path.as_str();
    let identity = probe(io.as_ref(), path)?;
    let lock = io.lock().map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => OpenError::InUse { path: path.to_owned() },
        _ => OpenError::Io { path: path.to_owned(), what: "locking the disk", source },
    })?;
    if identity.cluster != cluster {
        let (found, expected) = (identity.cluster, cluster);
        return Err(OpenError::OtherCluster { path: path.to_owned(), found, expected });
    }
    if identity.disk != disk {
        let (found, expected) = (identity.disk, disk);
        return Err(OpenError::OtherDisk { path: path.to_owned(), found, expected });
    }
    let volumes = list_volumes(io.as_ref(), path)?;
    let base = open_base(&io, path, options.index_cache_bytes)?;
    let usable = usable_checkpoint(io.as_ref(), path, &base, &identity, &volumes);
    let from = usable.as_ref().map(Checkpoint::position);
    let (base, state) = if let Some(mut checkpoint) = usable {
        checkpoint.leaving.retain(|volume| volumes.binary_search(volume).is_ok());
        (base, State::restore(checkpoint))
    } else {
        if !volumes.is_empty() {
            tracing::warn!(path, volumes = volumes.len(), "rebuilding the index from the volumes");
        }
        drop(base);
        discard_index(io.as_ref(), path)?;
        (open_base(&io, path, options.index_cache_bytes)?, State::default())
    };
    // A number is not used twice, as far as the index remembers.
    let next_volume = volumes.last().map_or(1, |newest| newest + 1).max(from.map_or(1, |from| from.volume));
    let shared = Shared::new(LockedDisk { identity, path: path.to_owned(), options, io, clock, lock }, base, state);
    let mut recovery = Recovery { shared: &shared, had_index: from.is_some() };
    recovery.run(&volumes, from.unwrap_or_default())?;
    // Whatever was open is sealed: a new volume is begun before the next record.
    shared.state().tail = Place { volume: next_volume, offset: VOLUME_DATA_START };
    // On a full disk the spare file may have to be made of what was just found to be free.
    punch(&shared);
    set_spare_aside(&shared);
    Ok(Recovered { shared, next_volume })
}

fn list_volumes(io: &dyn DiskIo, path: &str) -> Result<Vec<u32>, OpenError> {
    let names = io.list_volumes().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => OpenError::NotADisk { path: path.to_owned(), source },
        _ => OpenError::Io { path: path.to_owned(), what: "listing the volumes", source },
    })?;
    let mut volumes: Vec<u32> = names.iter().filter_map(|name| volume_number(name)).collect();
    volumes.sort_unstable();
    Ok(volumes)
}

/// The index's checkpoint, if it can be read and fits the volumes that are there.
fn usable_checkpoint(
    io: &dyn DiskIo,
    path: &str,
    base: &Base,
    identity: &DiskIdentity,
    volumes: &[u32],
) -> Option<Checkpoint> {
    match base.checkpoint(identity) {
        Ok(Some(checkpoint)) if covers(io, &checkpoint, volumes) => Some(checkpoint),
        Ok(Some(_)) => {
            tracing::warn!(path, "the index does not fit the volumes");
            None
        }
        Ok(None) => None,
        Err(error) => {
            tracing::warn!(path, %error, "the index cannot be read");
            None
        }
    }
}

/// Whether a checkpoint describes exactly the volumes that are there, up to its position.
fn covers(io: &dyn DiskIo, checkpoint: &Checkpoint, volumes: &[u32]) -> bool {
    let position = checkpoint.position();
    let known: Vec<u32> = checkpoint.volumes.iter().map(|v| v.number).collect();
    let is_expected = |v: &u32| (*v <= position.volume && !checkpoint.leaving.contains(v)) || known.contains(v);
    let there: Vec<u32> = volumes.iter().copied().filter(is_expected).collect();
    if known != there {
        return false;
    }
    // A volume that is shorter than the position has lost its end.
    !known.contains(&position.volume)
        || io.open_volume(&volume_name(position.volume)).and_then(|f| f.length()).is_ok_and(|l| l >= position.offset)
}

fn discard_index(io: &dyn DiskIo, path: &str) -> Result<(), OpenError> {
    let what = "removing the index";
    io.remove_index().map_err(|source| OpenError::Io { path: path.to_owned(), what, source })
}

/// Opens the index; one that cannot be opened is made anew, since it is only a cache.
fn open_base(io: &Arc<dyn DiskIo>, path: &str, cache_bytes: usize) -> Result<Base, OpenError> {
    let what = "opening the index";
    let file = || IndexFile::open(io).map_err(|source| OpenError::Io { path: path.to_owned(), what, source });
    // redb has been seen to panic on files that a full disk had cut short.
    let open = |file| std::panic::catch_unwind(AssertUnwindSafe(|| Base::open(file, cache_bytes)));
    if let Ok(Ok(base)) = open(file()?) {
        return Ok(base);
    }
    tracing::warn!(path, "the index cannot be opened and is made anew");
    discard_index(io.as_ref(), path)?;
    match open(file()?) {
        Ok(Ok(base)) => Ok(base),
        Ok(Err(error)) => Err(OpenError::Index { path: path.to_owned(), source: error.into() }),
        Err(_) => Err(OpenError::Index { path: path.to_owned(), source: redb::Error::Corrupted("panic".into()) }),
    }
}

struct Recovery<'a> {
    shared: &'a Shared,
    had_index: bool,
}

impl Recovery<'_> {
    fn run(&mut self, volumes: &[u32], from: Place) -> Result<(), OpenError> {
        for volume in volumes {
            self.check_header(*volume)?;
            self.shared.state().volumes.add(*volume);
        }
        for volume in volumes.iter().copied().filter(|v| *v >= from.volume) {
            let offset = if volume == from.volume { from.offset } else { VOLUME_DATA_START };
            self.scan(volume, offset)?;
        }
        Ok(())
    }

    fn failed(&self, what: &'static str) -> impl Fn(std::io::Error) -> OpenError {
        let path = self.shared.path.clone();
        move |source| OpenError::Io { path: path.clone(), what, source }
    }

    /// A volume of another disk or a later release keeps the disk out of service. A damaged header does not: the
    /// records speak for themselves.
    fn check_header(&self, volume: u32) -> Result<(), OpenError> {
        let file = self.shared.files.get(volume).map_err(self.failed("opening a volume"))?;
        let foreign = |detail: String| OpenError::ForeignVolume {
            path: self.shared.path.clone(),
            file: volume_name(volume),
            detail,
        };
        let block = match file.read_at(BLOCK_BYTES, 0) {
            Ok(block) => IdentityBlock::decode(BlockKind::Volume(volume), &block),
            Err(error) => return Err(self.failed("reading a volume's header")(error)),
        };
        match block {
            Ok(block) if block.identity == self.shared.identity => Ok(()),
            Ok(block) => Err(foreign(format!("it belongs to disk {}", block.identity.disk))),
            Err(error @ (BlockError::Newer { .. } | BlockError::Number { .. })) => Err(foreign(error.to_string())),
            Err(error) => {
                tracing::warn!(path = %self.shared.path, volume, %error, "a volume's header is not readable");
                Ok(())
            }
        }
    }

    fn scan(&mut self, volume: u32, offset: u64) -> Result<(), OpenError> {
        let failed = self.failed("reading a volume");
        let file = self.shared.files.get(volume).map_err(&failed)?;
        // A record may be whole in the page cache and not on the disk: its process was killed before its sync, or the
        // sync failed. From here on it counts and what it replaces is punched, so it is made durable first, and what
        // is read is what the disk has (I2).
        file.sync().map_err(&failed)?;
        file.drop_cached();
        let scan = Scan::new(&file, &self.shared.identity, volume, offset).map_err(&failed)?;
        let mut records = VouchedScan::new(scan);
        while let Some(verdict) = records.next().map_err(&failed)? {
            match verdict {
                Verdict::Counts(found) => self.replay(volume, found)?,
                // What it would have replaced still counts; its bytes are left alone.
                Verdict::Torn(header) => {
                    tracing::info!(path = %self.shared.path, shard = %header.shard, place = %header.place, "a torn write");
                    self.shared.state().volumes.reach(header.place, header.record_bytes());
                }
            }
            if self.shared.state().changes() >= RECOVERY_CHANGES_MAX {
                self.checkpoint(Place { volume, offset: records.offset() })?;
            }
        }
        self.release(volume, records.scan());
        Ok(())
    }

    /// Gives back the blocks that were allocated ahead when the process stopped. Only zeros are given up.
    fn release(&self, volume: u32, scan: &Scan<'_>) {
        let end = scan.content_end().max(VOLUME_DATA_START).next_multiple_of(4096);
        self.shared.state().release(volume, end..scan.offset().max(end));
    }

    fn replay(&self, volume: u32, found: Found) -> Result<(), OpenError> {
        let index_failed = |e: cairn_protocol::storage::StorageError| OpenError::Io {
            path: self.shared.path.clone(),
            what: "reading the index",
            source: std::io::Error::other(e),
        };
        match found {
            Found::Shard(header) => {
                let located = self.shared.locate(&[header.shard]).map_err(index_failed)?;
                let current = located.entries.first().copied().flatten();
                self.shared.state().volumes.reach(header.place, header.record_bytes());
                self.shared.state().put(header.shard, super::entry::Entry::of(&header), current);
            }
            Found::Tombstone(header, tombstone) => {
                let place = header.place;
                let located = self.shared.locate(&tombstone.shards).map_err(index_failed)?;
                let mut state = self.shared.state();
                state.volumes.reach(place, header.record_bytes());
                state.volumes.tombstone(place, header.record_bytes());
                for (shard, current) in tombstone.shards.into_iter().zip(located.entries) {
                    state.delete(place, shard, current);
                }
            }
            // Not acknowledged, so its space is free again. Where the index was lost, an acknowledged record whose
            // end was damaged would look the same, and is left alone.
            Found::Unfinished(header) if self.had_index => {
                self.shared.state().volumes.reach(header.place, header.record_bytes());
                self.shared.state().bury(header.place, header.record_bytes());
            }
            Found::Unfinished(header) => self.shared.state().volumes.reach(header.place, header.record_bytes()),
            Found::Gap(range) => {
                tracing::debug!(path = %self.shared.path, volume, ?range, "no record: punched or damaged");
            }
        }
        Ok(())
    }

    fn checkpoint(&self, position: Place) -> Result<(), OpenError> {
        let mut state = self.shared.state();
        let checkpoint = state.checkpoint(&self.shared.identity, position, BTreeSet::new());
        let changes = state.freeze();
        let written = self.shared.base.write(&changes, &checkpoint);
        drop(changes);
        state.thaw(written.is_ok());
        written.map_err(|source| OpenError::Index { path: self.shared.path.clone(), source })
    }
}
