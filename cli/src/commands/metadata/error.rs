//! Why `cairn metadata backup` failed.

use std::path::PathBuf;

use crate::http::EndpointError;
use crate::s3::S3Error;

/// Why a backup failed. Partial output is removed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target exists.
    #[error("{0} exists: choose another name, a backup is never overwritten")]
    Exists(PathBuf),
    /// The target is not an S3 URL.
    #[error("{0:?} names no object: expected s3://BUCKET/KEY")]
    Target(String),
    /// The file cannot be written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The S3 endpoint cannot be used.
    #[error("{0}; pass --s3-endpoint http://HOST:PORT")]
    Endpoint(#[from] EndpointError),
    /// The object cannot be written or read back.
    #[error(transparent)]
    Object(#[from] S3Error),
    /// The backup did not verify.
    #[error("the backup does not read back: {0}")]
    ReadBack(#[from] cairn_recovery::backup::BackupError),
    /// The check ended early.
    #[error("the verification did not end: {0}")]
    Check(#[from] tokio::task::JoinError),
}
