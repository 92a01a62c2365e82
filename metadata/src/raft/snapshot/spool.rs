//! Copies of the state on their way out of this member. A view of the state that stays open keeps every page that it may need,
//! and the file grows by all that is written meanwhile: some 50 KB with each commit. So a view is copied into a file of its own,
//! as fast as the disk takes it, and whoever receives it reads the file, however slowly.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::side_file::{Purpose, SideFile};
use crate::error::StoreError;
use crate::space::Space;

/// Where copies for one purpose are made.
#[derive(Debug)]
pub(crate) struct Spools {
    state: PathBuf,
    purpose: Purpose,
    space: Arc<Space>,
    max: usize,
    turns: Arc<Semaphore>,
    begun: AtomicU64,
}

impl Spools {
    /// Copies of `state`, of which there are at most `max` at a time.
    pub(crate) fn beside(state: &Path, purpose: Purpose, max: usize, space: &Arc<Space>) -> Arc<Self> {
        Arc::new(Self {
            state: state.to_owned(),
            purpose,
            space: Arc::clone(space),
            max,
            turns: Arc::new(Semaphore::new(max)),
            begun: AtomicU64::new(0),
        })
    }

    /// Begins a copy, if there is room for it as far as can be told before its size is known. It is given up as soon as nobody
    /// holds what `wanted` refers to.
    pub(crate) fn begin(&self, wanted: Weak<()>) -> Result<Spool, StoreError> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        let turn = turn.map_err(|_| StoreError::TooManyCopies { max: self.max })?;
        self.space.demand_bytes(0)?;
        let side = SideFile::beside(&self.state, self.purpose, self.begun.fetch_add(1, Ordering::Relaxed));
        let mut options = File::options();
        let file = options.read(true).write(true).create_new(true).open(side.path());
        let file = file.map_err(|e| StoreError::file(side.path(), e))?;
        Ok(Spool { file, side, bytes: 0, space: Arc::clone(&self.space), wanted, _turn: turn })
    }
}

/// A file that a copy is written to and read from. It is removed with this value.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    side: SideFile,
    bytes: u64,
    space: Arc<Space>,
    wanted: Weak<()>,
    _turn: OwnedSemaphorePermit,
}

impl Spool {
    /// Writes `bytes` at the end, unless the reserve would be touched, or nobody waits for the copy.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.wanted.strong_count() == 0 {
            return Err(StoreError::Unwanted);
        }
        self.space.demand_bytes(bytes.len() as u64)?;
        self.file.write_all_at(bytes, self.bytes).map_err(|e| StoreError::file(self.side.path(), e))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads `length` bytes from `offset` on, or what there is of them.
    pub(crate) fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        let length = length.min(usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX));
        let mut out = vec![0; length];
        self.file.read_exact_at(&mut out, offset).map_err(|e| StoreError::file(self.side.path(), e))?;
        Ok(out)
    }

    /// Fails while less than the reserve is free: the copy gives way then.
    pub(crate) fn check_room(&self) -> Result<(), StoreError> {
        Ok(self.space.demand_bytes(0)?)
    }

    /// The error for bytes at `offset` that are not those that were written.
    pub(super) fn changed(&self, offset: u64) -> StoreError {
        StoreError::file(self.side.path(), format!("what was written at byte {offset} does not read back"))
    }
}
