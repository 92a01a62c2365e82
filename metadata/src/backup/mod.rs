//! Backups of the state, and the two ways to begin again when members are lost: from a backup, or from one member that is
//! left. Both begin a new life of the cluster under numbers that were never used ([`rebase`]).

mod format;
mod rebase;
mod rebuild;
mod recover;
mod restore;
#[cfg(test)]
mod tests;
mod write;

use std::io::Read;
use std::path::PathBuf;

use cairn_core::id::{ClusterId, CommitSequence};

pub use rebuild::{RebuildOptions, rebuild};
pub use recover::{RecoverOptions, recover};
pub use restore::{RestoreOptions, restore};
pub use write::BackupReader;

use crate::error::StoreError;
use format::FrameReader;

/// Why a backup cannot be made, read, or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is something else.
    #[error("this is not a backup of Cairn's metadata")]
    NotABackup,
    /// A newer release made it.
    #[error(
        "the backup has format version {found}, this release reads up to {known}: restore it with the newer release"
    )]
    Newer {
        /// Its version.
        found: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// It is not whole.
    #[error("the backup is damaged at byte {position}: {detail}; use another one")]
    Damaged {
        /// Where.
        position: u64,
        /// What is wrong.
        detail: String,
    },
    /// It cannot be read.
    #[error("the backup cannot be read at byte {position}: {detail}")]
    Read {
        /// Where.
        position: u64,
        /// What happened.
        detail: String,
    },
    /// There is something where the restored member is to be.
    #[error("{0} is not empty: a backup is restored into an empty directory; move away what is there")]
    NotEmpty(PathBuf),
    /// The directory holds no member that something could be recovered from.
    #[error("{dir}: {reason}")]
    NoMember {
        /// The directory.
        dir: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to back up.
    #[error("the cluster is not formed yet: there is nothing to back up")]
    NotFormed,
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// The cluster.
    pub cluster: ClusterId,
    /// The newest commit in it.
    pub commit: CommitSequence,
    /// Objects in it.
    pub objects: u64,
    /// When it was written, in milliseconds since the Unix epoch, by the clock of the member that wrote it.
    pub written_ms: u64,
    /// Bytes of rows in it.
    pub bytes: u64,
}

impl BackupSummary {
    fn new(head: &format::Head, bytes: u64) -> Self {
        let format::Head { cluster, commit, objects, written_ms, .. } = *head;
        Self { cluster, commit, objects, written_ms, bytes }
    }
}

/// Reads a backup to its end and checks every byte of it.
pub fn verify(from: impl Read) -> Result<BackupSummary, BackupError> {
    let mut reader = FrameReader::begin(from)?;
    let head = reader.head()?;
    let mut bytes = 0;
    reader.records(|records| {
        bytes += records.len() as u64;
        Ok(())
    })?;
    Ok(BackupSummary::new(&head, bytes))
}
