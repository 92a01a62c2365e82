//! Opens a redb file whose writes wait for room. redb takes a failed write for the end of the database, and openraft for the
//! end of the member; a write that waits is none.

use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex};

use cairn_core::sync::IgnorePoison;
use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend};

use super::Space;
use super::unsynced::Unsynced;
use crate::error::StoreError;

/// Opens the database in `path`, or creates it if `create` is set. Writes wait for room on threads that said so by
/// [`Space::wait_here`].
pub(crate) fn open(path: &Path, create: bool, cache_bytes: usize, space: &Arc<Space>) -> Result<Database, StoreError> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(create).open(path).map_err(|e| StoreError::file(path, e))?;
    let is_empty = file.metadata().map_err(|e| StoreError::file(path, e))?.len() == 0;
    if is_empty && !create {
        // redb would take it for a new one.
        return Err(StoreError::file(path, "it is empty, and held something once"));
    }
    with_backend(FileBackend::new(file)?, cache_bytes, space)
}

pub(super) fn with_backend(
    file: impl StorageBackend,
    cache_bytes: usize,
    space: &Arc<Space>,
) -> Result<Database, StoreError> {
    let patient = PatientFile { file: Box::new(file), space: Arc::clone(space), unsynced: Mutex::default() };
    Ok(Database::builder().set_cache_size(cache_bytes).create_with_backend(patient)?)
}

#[derive(Debug)]
struct PatientFile {
    file: Box<dyn StorageBackend>,
    space: Arc<Space>,
    unsynced: Mutex<Unsynced>,
}

impl PatientFile {
    /// Syncs the file. Where that failed for want of room the system may have forgotten what it did not write, and a second
    /// sync would not notice: everything since the last sync is written again first (I2).
    fn sync(&self) -> io::Result<()> {
        let mut failed = false;
        self.space.when_there_is_room(|| {
            if failed {
                self.write_again()?;
            }
            let written = std::mem::take(&mut *self.unsynced.lock().ignore_poison());
            let synced = self.file.sync_data();
            if synced.is_err() {
                self.unsynced.lock().ignore_poison().put_back(written);
                failed = true;
            }
            synced
        })
    }

    fn write_again(&self) -> io::Result<()> {
        let unsynced = self.unsynced.lock().ignore_poison();
        unsynced.check_whole()?;
        unsynced.pieces().try_for_each(|(offset, bytes)| self.file.write(offset, bytes))
    }
}

impl StorageBackend for PatientFile {
    fn len(&self) -> Result<u64, io::Error> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.space.when_there_is_room(|| {
            let mut unsynced = self.unsynced.lock().ignore_poison();
            self.file.set_len(len)?;
            unsynced.cut(len);
            Ok(())
        })
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let is_much = self.space.when_there_is_room(|| {
            // One at a time, so that the last one written is the one that is remembered.
            let mut unsynced = self.unsynced.lock().ignore_poison();
            self.file.write(offset, data)?;
            Ok(unsynced.add(offset, data))
        })?;
        // A sync that nobody asked for does no harm, and bounds what is remembered.
        if is_much && self.space.waits_here() { self.sync() } else { Ok(()) }
    }

    fn close(&self) -> Result<(), io::Error> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
