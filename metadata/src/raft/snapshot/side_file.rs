//! Files that lie beside the state for a while: snapshots on their way in, and copies of the state on their way out.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::durable_names;
use crate::error::StoreError;

/// What such a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A snapshot is assembled in it.
    Incoming,
    /// A snapshot is sent from it.
    Outgoing,
    /// A backup is read from it.
    Backup,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Incoming, Self::Outgoing, Self::Backup];

    /// Extension of such files, followed by a number.
    fn extension(self) -> &'static str {
        match self {
            Self::Incoming => "incoming-",
            Self::Outgoing => "outgoing-",
            Self::Backup => "backup-",
        }
    }
}

/// Extension of a state that was received whole.
const RECEIVED: &str = "received";

/// A file of one copy alone, removed with this value unless it has a name under which it is found again.
#[derive(Debug)]
pub(crate) struct SideFile {
    path: PathBuf,
    is_kept: bool,
}

impl SideFile {
    /// A name beside `state`; `number` is never given twice for a purpose.
    pub(crate) fn beside(state: &Path, purpose: Purpose, number: u64) -> Self {
        Self { path: state.with_extension(format!("{}{number}", purpose.extension())), is_kept: false }
    }

    /// The state that was received whole beside `state`, if there is one.
    pub(crate) fn received(state: &Path) -> Self {
        Self { path: state.with_extension(RECEIVED), is_kept: true }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file the name under which a restart finds the state that was received. From here on the log may be purged for it:
    /// Raft does so before the state is replaced.
    pub(super) fn keep_as_received(mut self) -> Result<Self, StoreError> {
        let received = self.path.with_extension(RECEIVED);
        durable_names::rename(&self.path, &received)?;
        (self.path, self.is_kept) = (received, true);
        Ok(self)
    }

    /// Puts the file in the place of `state`.
    pub(crate) fn replace(mut self, state: &Path) -> Result<(), StoreError> {
        durable_names::rename(&self.path, state)?;
        self.is_kept = true;
        Ok(())
    }

    /// Removes the file, if there is one.
    pub(crate) fn remove(self) -> Result<(), StoreError> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::file(&self.path, error)),
            _ => Ok(()),
        }
    }
}

impl Drop for SideFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // It may not exist yet; what cannot be removed is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes the files that were left beside `state` when the process ended.
pub(crate) fn remove_leftovers(state: &Path) -> Result<(), StoreError> {
    let directory = state.parent().unwrap_or(Path::new("."));
    let of_directory = |e| StoreError::file(directory, e);
    for entry in std::fs::read_dir(directory).map_err(of_directory)? {
        let path = entry.map_err(of_directory)?.path();
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let is_left = Purpose::ALL.iter().any(|purpose| extension.starts_with(purpose.extension()));
        if path.file_stem() == state.file_stem() && is_left {
            std::fs::remove_file(&path).map_err(|e| StoreError::file(&path, e))?;
        }
    }
    Ok(())
}
