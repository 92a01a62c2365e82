//! Why a backup was not made.

use std::io;
use std::path::PathBuf;

use cairn_core::name::ObjectKeyError;
use cairn_gateway::data::{ReadError, WriteError};
use cairn_metadata::backup::BackupError;
use cairn_protocol::metadata::MetadataError;

/// Why there is no new backup in the store. Those before are still there.
#[derive(Debug, thiserror::Error)]
pub enum StoreBackupError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("the metadata service: {0}")]
    Metadata(#[from] MetadataError),
    #[error("the storage nodes did not store it: {0}")]
    Write(#[from] WriteError<io::Error>),
    #[error("it does not read back: {0}")]
    Read(#[from] ReadError),
    #[error("no session and no disks within {waited_s} s")]
    NotReady { waited_s: u64 },
    #[error("{0}")]
    Key(#[from] ObjectKeyError),
    #[error("the task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Why there is no new backup in the directory. Those before are still there.
#[derive(Debug, thiserror::Error)]
pub(super) enum DirectoryBackupError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}
