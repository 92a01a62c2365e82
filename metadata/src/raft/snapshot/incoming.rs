//! A snapshot on its way in: a file of its own until it is whole.

use std::sync::Arc;

use redb::Database;

use super::loader::{Loader, copy_into};
use super::side_file::SideFile;
use super::stream::StreamHash;
use crate::error::StoreError;
use crate::space::Space;
use crate::state::tables::View;

/// A whole state, durable in a file of its own.
pub(crate) struct LoadedState {
    pub(crate) database: Arc<Database>,
    pub(crate) file: SideFile,
}

impl LoadedState {
    /// Copies a view of this member's own state.
    pub(crate) fn copy(view: View, file: SideFile, cache_bytes: usize, space: &Arc<Space>) -> Result<Self, StoreError> {
        let mut loader = Loader::create(file.path(), cache_bytes, space)?;
        copy_into(view, &mut loader)?;
        Ok(Self { database: loader.finish()?, file })
    }
}

/// A snapshot of which some chunks have arrived.
pub(crate) struct Incoming {
    loader: Loader,
    file: SideFile,
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
    pub(crate) fn begin(file: SideFile, cache_bytes: usize, space: &Arc<Space>) -> Result<Self, StoreError> {
        space.demand_bytes(0)?;
        let loader = Loader::create(file.path(), cache_bytes, space)?;
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

    /// The whole state, after the last chunk, durable under a name of its own.
    pub(crate) fn finish(self) -> Result<LoadedState, StoreError> {
        Ok(LoadedState { database: self.loader.finish()?, file: self.file.keep_as_received()? })
    }
}
