//! Why a comparison was interrupted.

use cairn_metadata::StoreError;
use cairn_protocol::metadata::MetadataError;
use cairn_protocol::storage::StorageError;

/// Why a comparison was interrupted.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompareError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("metadata: {0}")]
    Metadata(#[from] MetadataError),
    /// The tables of the member cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}
