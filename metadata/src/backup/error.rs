//! Errors of making, reading and restoring backups.

use std::path::PathBuf;

use crate::error::StoreError;

/// Why a backup cannot be made, read, or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("this is not a backup of Cairn's metadata")]
    NotABackup,
    /// A newer release made it.
    #[error(
        "the backup has format version {found}, this release reads up to {known}: restore it with the newer release"
    )]
    Newer { found: u32, known: u32 },
    /// An earlier release made it, of a state that is not converted.
    #[error(
        "the backup has format version {found}, this release reads {known}: restore it with the release that made it"
    )]
    Older { found: u32, known: u32 },
    #[error("the backup is damaged at byte {position}: {detail}; use another one")]
    Damaged { position: u64, detail: String },
    #[error("the backup cannot be read at byte {position}: {detail}")]
    Read { position: u64, detail: String },
    /// The directory of the restored member is not empty.
    #[error("{0} is not empty: a backup is restored into an empty directory; move away what is there")]
    NotEmpty(PathBuf),
    /// The directory holds no member that something could be recovered from.
    #[error("{dir}: {reason}")]
    NoMember { dir: PathBuf, reason: String },
    /// The cluster is not formed, so there is nothing to back up.
    #[error("the cluster is not formed yet: there is nothing to back up")]
    NotFormed,
    #[error("{0}")]
    Store(#[from] StoreError),
}
