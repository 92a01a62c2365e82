//! The data directory: one process at a time, and the identity of its gateway.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use cairn_core::id::NodeId;
use cairn_core::random::RandomSource;
use rustix::fs::FlockOperation;

use crate::credentials::write_private;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made or written.
    #[error("cannot use the data directory {path}: {source}")]
    Inaccessible {
        /// The directory.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("the data directory {0} is in use by another cairn process; stop that one, or choose another --data")]
    InUse(PathBuf),
    /// The gateway's identity is damaged.
    #[error("{path} does not hold an identity ({detail}); remove it to have a new one made")]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

/// A data directory that belongs to this process for as long as this lives.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the directory if needed and locks it. The lock goes with the process, however it ends.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        let inaccessible = |source| DataDirError::Inaccessible { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(inaccessible)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .map_err(inaccessible)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| DataDirError::InUse(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The identity of this directory's gateway: made at the first start, so that a restart ends the sessions before it
    /// and what they left behind can be collected.
    pub(crate) fn gateway_id(&self, random: &dyn RandomSource) -> Result<NodeId, DataDirError> {
        let path = self.path.join("gateway-id");
        match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|e: cairn_core::id::IdParseError| DataDirError::Identity {
                path: path.clone(),
                detail: e.to_string(),
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let id = NodeId::from_random(random.bytes16());
                write_private(&path, &id.to_string())
                    .map_err(|e| DataDirError::Identity { path: path.clone(), detail: e.to_string() })?;
                Ok(id)
            }
            Err(source) => Err(DataDirError::Inaccessible { path, source }),
        }
    }
}
