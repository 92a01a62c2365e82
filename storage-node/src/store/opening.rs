//! Bringing a disk into service: superblock, lock, index, and replay of the log that the index does not cover.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_protocol::storage::ScrubFinding;

use super::disk::Disk;
use super::error::OpenError;
use super::health::Health;
use super::index::{Checkpoint, Index, IndexDb, IndexFile, State};
use super::options::{ExpectedDisk, StoreOptions};
use super::replay::Replay;
use super::space::{make_spare, punch};
use super::superblock::probe;
use super::volume_files::{VolumeFiles, volume_name, volume_number};
use crate::disk_io::DiskIo;
use crate::format::{DiskIdentity, Place, VOLUME_DATA_START};

/// A disk that is ready for its threads.
pub(crate) struct OpenedStore {
    pub(crate) disk: Arc<Disk>,
    pub(crate) index: Arc<Index>,
    pub(crate) next_volume: u32,
    /// Shards that replay found not to be whole.
    pub(crate) findings: Vec<ScrubFinding>,
}

/// Opens the disk and brings its index up to date.
pub(crate) fn open(
    expected: ExpectedDisk,
    options: StoreOptions,
    clock: Arc<dyn Clock>,
) -> Result<OpenedStore, OpenError> {
    let disk = lock(expected, options, clock)?;
    let (io, path) = (disk.io.as_ref(), disk.path.as_str());
    let volumes = list_volumes(io, path)?;
    let database = open_database(&disk.io, path, options.index_cache_bytes)?;
    let usable = usable_checkpoint(io, path, &database, &disk.identity, &volumes)?;
    let from = usable.as_ref().map(Checkpoint::position);
    let (database, state) = if let Some(mut checkpoint) = usable {
        checkpoint.leaving.retain(|volume| volumes.binary_search(volume).is_ok());
        (database, State::restore(checkpoint))
    } else {
        if !volumes.is_empty() {
            tracing::warn!(path, volumes = volumes.len(), "rebuilding the index from the volumes");
        }
        drop(database);
        discard_index(io, path)?;
        let mut state = State::default();
        // A record that does not verify is missed by nobody else.
        state.set_doubt(!volumes.is_empty());
        (open_database(&disk.io, path, options.index_cache_bytes)?, state)
    };
    // A number is not used twice, as far as the index remembers.
    let next_volume = volumes.last().map_or(1, |newest| newest + 1).max(from.map_or(1, |from| from.volume));
    let index = Arc::new(Index::new(Arc::clone(&disk), database, state));
    if from.is_none() && volumes.is_empty() {
        // From here on, an index without a checkpoint has been lost.
        let written = index.write_checkpoint(Some(Place::default()), BTreeSet::new());
        written.map_err(|source| OpenError::Index { path: path.to_owned(), source })?;
    }
    let replay = Replay { disk: &disk, index: &index, had_index: from.is_some(), not_whole: RefCell::default() };
    replay.run(&volumes, from.unwrap_or_default())?;
    let findings = replay.findings()?;
    // Whatever was open is sealed: the next record begins a new volume.
    index.state().tail = Place { volume: next_volume, offset: VOLUME_DATA_START };
    // On a full disk, the spare file may need the space that was just found to be free.
    punch(&disk, &index);
    make_spare(&disk);
    Ok(OpenedStore { disk, index, next_volume, findings })
}

/// Checks that the directory holds the disk, and locks it against other processes.
fn lock(expected: ExpectedDisk, options: StoreOptions, clock: Arc<dyn Clock>) -> Result<Arc<Disk>, OpenError> {
    let ExpectedDisk { io, path, cluster, disk } = expected;
    let identity = probe(io.as_ref(), &path)?;
    let lock = io.lock().map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => OpenError::InUse { path: path.clone() },
        _ => OpenError::Io { path: path.clone(), what: "locking the disk", source },
    })?;
    if identity.cluster != cluster {
        return Err(OpenError::OtherCluster { path, found: identity.cluster, expected: cluster });
    }
    if identity.disk != disk {
        return Err(OpenError::OtherDisk { path, found: identity.disk, expected: disk });
    }
    let (files, health) = (VolumeFiles::new(Arc::clone(&io)), Health::default());
    Ok(Arc::new(Disk { identity, path, options, io, clock, files, health, _lock: lock }))
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

/// The index's checkpoint, if it can be read and fits the volumes that exist.
fn usable_checkpoint(
    io: &dyn DiskIo,
    path: &str,
    database: &IndexDb,
    identity: &DiskIdentity,
    volumes: &[u32],
) -> Result<Option<Checkpoint>, OpenError> {
    let checkpoint = database.checkpoint(identity);
    if let Some(source) = database.file.take_unread() {
        return Err(unreadable_index(path, source));
    }
    let failed = |source| OpenError::Io { path: path.to_owned(), what: "looking at the newest volume", source };
    match checkpoint {
        Ok(Some(checkpoint)) if covers(io, &checkpoint, volumes).map_err(failed)? => Ok(Some(checkpoint)),
        Ok(Some(_)) => {
            tracing::warn!(path, "the index does not fit the volumes");
            Ok(None)
        }
        Ok(None) => Ok(None),
        Err(error) => {
            tracing::warn!(path, %error, "the index is damaged");
            Ok(None)
        }
    }
}

/// The index is a cache, but it may know of shards whose records are damaged: it is not given up because of a failed read.
fn unreadable_index(path: &str, source: std::io::Error) -> OpenError {
    OpenError::UnreadableIndex { path: path.to_owned(), source }
}

/// Whether a checkpoint describes exactly the volumes that exist, up to its position.
fn covers(io: &dyn DiskIo, checkpoint: &Checkpoint, volumes: &[u32]) -> std::io::Result<bool> {
    let position = checkpoint.position();
    let known: Vec<u32> = checkpoint.volumes.iter().map(|v| v.number).collect();
    let is_expected = |v: &u32| (*v <= position.volume && !checkpoint.leaving.contains(v)) || known.contains(v);
    let existing: Vec<u32> = volumes.iter().copied().filter(is_expected).collect();
    if known != existing || !known.contains(&position.volume) {
        return Ok(known == existing);
    }
    // A volume that is shorter than the position has lost its end.
    Ok(io.open_volume(&volume_name(position.volume))?.length()? >= position.offset)
}

fn discard_index(io: &dyn DiskIo, path: &str) -> Result<(), OpenError> {
    let what = "removing the index";
    io.remove_index().map_err(|source| OpenError::Io { path: path.to_owned(), what, source })
}

/// Opens the index; one that cannot be opened is replaced by an empty one, since it is only a cache.
fn open_database(io: &Arc<dyn DiskIo>, path: &str, cache_bytes: usize) -> Result<IndexDb, OpenError> {
    let what = "opening the index";
    let file = || IndexFile::open(io).map_err(|source| OpenError::Io { path: path.to_owned(), what, source });
    // redb has been seen to panic on files that a full disk had cut short.
    let open = |file| std::panic::catch_unwind(AssertUnwindSafe(|| IndexDb::open(file, cache_bytes)));
    let first = file()?;
    if let Ok(Ok(database)) = open(first.clone()) {
        return Ok(database);
    }
    if let Some(source) = first.take_unread() {
        return Err(unreadable_index(path, source));
    }
    tracing::warn!(path, "the index cannot be opened: rebuilding it");
    discard_index(io.as_ref(), path)?;
    match open(file()?) {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(error)) => Err(OpenError::Index { path: path.to_owned(), source: error.into() }),
        Err(_) => Err(OpenError::Index { path: path.to_owned(), source: redb::Error::Corrupted("panic".into()) }),
    }
}
