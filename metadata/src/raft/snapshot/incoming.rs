//! A snapshot on its way in: a file of its own until it is whole.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::Database;

use super::loader::{Loader, copy_into};
use super::stream::StreamHash;
use crate::error::StoreError;
use crate::space::Space;
use crate::state::tables::View;

/// Extension of files that snapshots are assembled in, followed by a number.
const EXTENSION: &str = "incoming-";

/// A file of one transfer alone, removed with this value unless it was installed.
#[derive(Debug)]
pub(crate) struct IncomingFile {
    path: PathBuf,
    is_installed: bool,
}

impl IncomingFile {
    /// A name beside `state`; `number` is never given twice.
    pub(crate) fn beside(state: &Path, number: u64) -> Self {
        Self { path: state.with_extension(format!("{EXTENSION}{number}")), is_installed: false }
    }

    /// Puts the file in the place of `state`.
    pub(crate) fn replace(mut self, state: &Path) -> Result<(), StoreError> {
        std::fs::rename(&self.path, state).map_err(|e| StoreError::file(&self.path, e))?;
        self.is_installed = true;
        Ok(())
    }
}

impl Drop for IncomingFile {
    fn drop(&mut self) {
        if !self.is_installed {
            // It may not exist yet; what cannot be removed is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes the files that transfers left beside `state` when the process ended.
pub(crate) fn remove_leftovers(state: &Path) -> Result<(), StoreError> {
    let directory = state.parent().unwrap_or(Path::new("."));
    let of_directory = |e| StoreError::file(directory, e);
    for entry in std::fs::read_dir(directory).map_err(of_directory)? {
        let path = entry.map_err(of_directory)?.path();
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if path.file_stem() == state.file_stem() && extension.starts_with(EXTENSION) {
            std::fs::remove_file(&path).map_err(|e| StoreError::file(&path, e))?;
        }
    }
    Ok(())
}

/// A whole state, durable in a file of its own.
pub(crate) struct LoadedState {
    pub(crate) database: Arc<Database>,
    pub(crate) file: IncomingFile,
}

impl LoadedState {
    /// Copies a view of this member's own state.
    pub(crate) fn copy(
        view: &View,
        file: IncomingFile,
        cache_bytes: usize,
        space: &Arc<Space>,
    ) -> Result<Self, StoreError> {
        let mut loader = Loader::create(&file.path, cache_bytes, space)?;
        copy_into(view, &mut loader)?;
        Ok(Self { database: loader.finish()?, file })
    }
}

/// A snapshot of which some chunks have arrived.
pub(crate) struct Incoming {
    loader: Loader,
    file: IncomingFile,
    space: Arc<Space>,
    /// Bytes that may not be written yet: see [`Incoming::take`].
    cache_bytes: u64,
    loaded_bytes: u64,
    /// The number of the chunk that comes next.
    next: u32,
    hash: StreamHash,
}

impl Incoming {
    /// Begins a transfer, if there is room for its first chunk.
    pub(crate) fn begin(file: IncomingFile, cache_bytes: usize, space: &Arc<Space>) -> Result<Self, StoreError> {
        space.demand_bytes(0)?;
        let loader = Loader::create(&file.path, cache_bytes, space)?;
        let (space, cache_bytes) = (Arc::clone(space), cache_bytes as u64);
        Ok(Self { loader, file, space, cache_bytes, loaded_bytes: 0, next: 0, hash: StreamHash::default() })
    }

    /// The number of the chunk that comes next.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Loads the next chunk. `hash` is the sender's, up to the end of this chunk: if it is not this end's too, bytes were
    /// changed, or the chunk belongs to another stream. After an error the transfer has to start over.
    pub(crate) fn take(&mut self, records: &[u8], is_last: bool, hash: StreamHash) -> Result<(), StoreError> {
        self.hash = self.hash.after(records, is_last);
        if self.hash != hash {
            let detail = format!("chunk {} does not match its checksum", self.next);
            return Err(StoreError::Damaged { table: "snapshot", detail });
        }
        // Half of the cache may hold pages that are not written yet, and a page of records is half full at worst.
        let unwritten = self.loaded_bytes.saturating_mul(2).min(self.cache_bytes / 2);
        self.space.demand_bytes(unwritten + 2 * records.len() as u64)?;
        self.loader.load(records)?;
        self.loaded_bytes += records.len() as u64;
        self.next += 1;
        Ok(())
    }

    /// The whole state, after the last chunk.
    pub(crate) fn finish(self) -> Result<LoadedState, StoreError> {
        Ok(LoadedState { database: self.loader.finish()?, file: self.file })
    }
}
