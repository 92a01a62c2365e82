//! Why a server did not start, or did not go on.

use crate::credentials::CredentialsError;
use crate::data_dir::DataDirError;
use crate::listeners::ListenError;
use crate::telemetry::LogFilterError;

/// Why a server did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Log(#[from] LogFilterError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("metadata: {0}")]
    Metadata(#[from] cairn_metadata::StartError),
    #[error(
        "the metadata member's store failed ({0}): nothing of it is retried. Check the disk and its free space, then start \
         the process again"
    )]
    MemberFailed(String),
    #[error("storage node: {0}")]
    StorageNode(#[from] cairn_storage_node::StartError),
    #[error("cannot start threads: {0}")]
    Runtime(std::io::Error),
    #[error("cannot receive signals: {0}")]
    Signals(std::io::Error),
}
