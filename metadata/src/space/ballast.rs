//! A file that takes room so that it can be given up when there is none.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_core::sync::IgnorePoison;
use rustix::fs::FallocateFlags;

const NAME: &str = "reserve";

#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
    held_bytes: AtomicU64,
    /// Makes and removes the file one at a time.
    one_at_a_time: Mutex<()>,
}

impl Ballast {
    /// The ballast in `dir`, which may be there from an earlier run.
    pub(super) fn of(dir: &Path, bytes: u64) -> Self {
        let path = dir.join(NAME);
        let is_whole = path.metadata().is_ok_and(|file| file.len() == bytes && file.blocks() * 512 >= bytes);
        let held_bytes = AtomicU64::new(if is_whole { bytes } else { 0 });
        Self { path, bytes, held_bytes, one_at_a_time: Mutex::default() }
    }

    pub(super) fn held_bytes(&self) -> u64 {
        self.held_bytes.load(Ordering::Acquire)
    }

    pub(super) fn is_held(&self) -> bool {
        self.held_bytes() > 0
    }

    /// Allocates the file. Where that is impossible the room stays free without it.
    pub(super) fn make(&self) {
        let _one_at_a_time = self.one_at_a_time.lock().ignore_poison();
        let made = File::create(&self.path).and_then(|file| {
            rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.bytes)?;
            file.sync_all()
        });
        match made {
            Ok(()) => self.held_bytes.store(self.bytes, Ordering::Release),
            Err(error) => {
                tracing::debug!(path = %self.path.display(), %error, "no room can be set aside in a file");
                // What cannot be removed is overwritten by the next attempt.
                let _ = std::fs::remove_file(&self.path);
            }
        }
    }

    /// Frees the file; tells whether there was one.
    pub(super) fn give_up(&self) -> bool {
        let _one_at_a_time = self.one_at_a_time.lock().ignore_poison();
        if self.held_bytes.swap(0, Ordering::AcqRel) == 0 {
            return false;
        }
        let removed = std::fs::remove_file(&self.path);
        if let Err(error) = &removed {
            tracing::warn!(path = %self.path.display(), %error, "the reserve of the metadata cannot be given up");
        } else {
            tracing::warn!(path = %self.path.display(), bytes = self.bytes, "the filesystem is full; the metadata uses its reserve");
        }
        removed.is_ok()
    }
}
