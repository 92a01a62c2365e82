//! Why the demo failed.

use std::path::PathBuf;

use crate::s3::S3Error;

/// A demo that failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file or directory cannot be used.
    #[error("cannot use {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    /// The directory has no files to store.
    #[error("there are no files in {0}: name another directory with --files")]
    NoFiles(PathBuf),
    #[error("{key}: {source}")]
    S3 { key: String, source: S3Error },
    /// An object differs from its file.
    #[error("{0} does not read back as it was stored: this is a defect, please report it")]
    Differs(String),
    /// The cluster did not come up.
    #[error("the cluster does not become ready; is the machine very busy?")]
    NotReady,
    /// The repair did not end in time.
    #[error("the repair takes too long; is the machine very busy?")]
    Slow,
    /// The disk to drain does not exist.
    #[error("there is no disk to drain")]
    NoDisk,
}
