//! Why a storage node does not start.

use std::path::PathBuf;

/// A node that cannot start. A single disk never keeps a node from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No disks were given.
    #[error("a storage node needs at least one disk directory")]
    NoDisks,
    /// A directory was given twice.
    #[error("the disk directory {} is given twice", .0.display())]
    DuplicatePath(PathBuf),
    /// The node's own state cannot be read or written.
    #[error("the node's state in {} cannot be used: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The node's own state is damaged or of a later release.
    #[error(
        "the node's state in {} cannot be read: {detail}; start the release that wrote it, or restore the file from a \
         backup (without it, the node does not know which of its disks are missing)",
        path.display()
    )]
    BadState {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}
