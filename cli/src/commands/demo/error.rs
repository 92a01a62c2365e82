//! Why the demonstration stopped.

use std::path::PathBuf;

use crate::s3::S3Error;

/// A demonstration that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or directory cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// There is nothing to store.
    #[error("there are no files in {0}: name another directory with --files")]
    NoFiles(PathBuf),
    /// S3 failed.
    #[error("{key}: {source}")]
    S3 {
        /// The object.
        key: String,
        /// What happened.
        source: S3Error,
    },
    /// An object has other bytes than its file.
    #[error("{0} does not read back as it was stored: this is a defect, please report it")]
    Differs(String),
    /// The cluster did not come up.
    #[error("the cluster does not become ready; is the machine very busy?")]
    NotReady,
    /// Repair takes too long.
    #[error("the repair takes too long; is the machine very busy?")]
    Slow,
    /// The disk to drain is not there.
    #[error("there is no disk to drain")]
    NoDisk,
}
