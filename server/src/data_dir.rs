//! The data directory: used by one process at a time, with the identity of its gateway.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use cairn_core::id::NodeId;
use cairn_core::random::RandomSource;
use rustix::fs::FlockOperation;

use crate::credentials::write_private;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("cannot use the data directory {path}: {source}")]
    Inaccessible { path: PathBuf, source: std::io::Error },
    #[error("the data directory {0} is in use by another cairn process; stop that one, or choose another --data")]
    InUse(PathBuf),
    /// The file with the gateway's identity is damaged.
    #[error("{path} does not hold an identity ({detail}); remove it, and the next start makes a new one")]
    Identity { path: PathBuf, detail: String },
}

/// A data directory, locked for this process while this lives.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory if needed and locks it. The lock ends with the process, however that ends.
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

    /// The identity of this directory's gateway, created at the first start. It stays the same, so that a restart ends the
    /// gateway's earlier sessions and their garbage can be collected.
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
