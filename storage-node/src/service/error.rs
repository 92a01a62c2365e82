//! Why a storage node does not start.

use std::path::PathBuf;

/// Why a node does not start. A bad disk never keeps it from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("a storage node needs at least one disk directory")]
    NoDisks,
    #[error("the disk directory {} is given twice", .0.display())]
    DuplicatePath(PathBuf),
    /// The node's own state cannot be read or written.
    #[error("the node's state in {} cannot be used: {source}", path.display())]
    State { path: PathBuf, source: std::io::Error },
    /// The node's own state is damaged or of a later release.
    #[error(
        "the node's state in {} cannot be read: {detail}; start the release that wrote it, or restore the file from a \
         backup (without it, the node does not know which of its disks are missing)",
        path.display()
    )]
    BadState { path: PathBuf, detail: String },
}
