//! Why a backup cannot be used.

use std::path::PathBuf;

use crate::error::StoreError;

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
