//! Why `cairn bench` failed.

use std::io;
use std::path::PathBuf;

use crate::http::{Endpoint, EndpointError};
use crate::s3::S3Error;
use crate::unit::UnitError;

/// Why the benchmark failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The endpoint does not parse.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A size or duration does not parse.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// The bucket or the objects could not be created.
    #[error("cannot prepare {what} at {endpoint}: {cause}")]
    Prepare {
        /// What was tried.
        what: String,
        /// Where.
        endpoint: Endpoint,
        /// Why not.
        cause: S3Error,
    },
    /// The directory named by `--limit` cannot be measured.
    #[error("cannot measure the disk under {}: {cause}", path.display())]
    Limit {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A worker thread panicked.
    #[error("a thread of the benchmark panicked")]
    Panicked,
    /// Every operation failed.
    #[error("none of {0} operations succeeded at {1}; the first errors are above")]
    NothingSucceeded(u64, Endpoint),
}
