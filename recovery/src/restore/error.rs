//! Why no member was made.

use std::path::PathBuf;

use cairn_core::id::ClusterId;
use cairn_gateway::data::ReadError;
use cairn_metadata::backup::BackupError;
use cairn_protocol::storage::StorageError;

/// Why no member was made. The data directory is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The disks of this machine cannot be opened.
    #[error(transparent)]
    StorageNode(#[from] cairn_storage_node::StartError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Read(Box<ReadError>),
    #[error("the storage node {addr} does not answer ({source}): start it, or leave it out if it is lost for good")]
    Node { addr: String, source: StorageError },
    #[error("no disk of the cluster can be read ({0}): name the storage nodes with --node HOST:PORT")]
    NoDisks(String),
    #[error("the storage node {addr} belongs to cluster {other}, others to {first}: name those of one cluster")]
    TwoClusters { addr: String, other: ClusterId, first: ClusterId },
    #[error(
        "the disks hold no readable backup of the metadata (not whole: {passed_over:?}; disks away: {missing:?}): add \
         disks, restore from a file, or begin with an empty namespace with `cairn metadata reconstruct`, which brings \
         back the objects that the disks hold as a whole"
    )]
    NoBackup { passed_over: String, missing: String },
    /// A backup or the file that it is copied to cannot be opened.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
}

impl From<ReadError> for RestoreError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}
