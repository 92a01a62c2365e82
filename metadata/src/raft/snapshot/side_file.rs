//! Files that lie beside the state for a while: snapshots on their way in, and copies of the state on their way out.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

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

/// A file of one copy alone, removed with this value unless it was installed.
#[derive(Debug)]
pub(crate) struct SideFile {
    path: PathBuf,
    is_installed: bool,
}

impl SideFile {
    /// A name beside `state`; `number` is never given twice for a purpose.
    pub(crate) fn beside(state: &Path, purpose: Purpose, number: u64) -> Self {
        Self { path: state.with_extension(format!("{}{number}", purpose.extension())), is_installed: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the file in the place of `state`.
    pub(crate) fn replace(mut self, state: &Path) -> Result<(), StoreError> {
        std::fs::rename(&self.path, state).map_err(|e| StoreError::file(&self.path, e))?;
        self.is_installed = true;
        Ok(())
    }
}

impl Drop for SideFile {
    fn drop(&mut self) {
        if !self.is_installed {
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
