//! Why a disk cannot be put into service.

use cairn_core::id::{ClusterId, DiskId};

use crate::format::BlockError;

/// Why a disk is not opened. Each message names the directory and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no superblock: an empty directory, an unmounted filesystem, or no directory at all.
    #[error("{path} holds no disk: {source}; put the directory back or mount the filesystem that belongs there")]
    NotADisk { path: String, source: std::io::Error },
    #[error(
        "the superblock of {path} cannot be used: {source}; {}",
        match source {
            BlockError::Newer { .. } => "start a release that knows this format",
            _ => "restore the file `superblock` from a backup, or replace the disk",
        }
    )]
    Superblock { path: String, source: BlockError },
    #[error(
        "the disk at {path} belongs to cluster {found}, this is cluster {expected}; mount the right disk there, or \
         empty the directory and give it a new name to use it here"
    )]
    OtherCluster { path: String, found: ClusterId, expected: ClusterId },
    /// Another disk than the one that belongs in this directory.
    #[error("{path} should hold disk {expected} and holds disk {found}; mount each disk where it was")]
    OtherDisk {
        path: String,
        found: DiskId,
        /// The disk that this directory held before.
        expected: DiskId,
    },
    #[error("the disk at {path} is in use by another process; stop that first")]
    InUse { path: String },
    /// A volume file that is not this disk's.
    #[error("{path}/volumes/{file} is not a volume of this disk: {detail}; move the file to where it belongs")]
    ForeignVolume { path: String, file: String, detail: String },
    /// A directory that should be formatted holds something.
    #[error("{path} is not formatted because it holds {found} already; use an empty directory")]
    NotEmpty { path: String, found: &'static str },
    #[error("{what} failed in {path}: {source}")]
    Io { path: String, what: &'static str, source: std::io::Error },
    /// A read failed: what lies there is unknown, so the disk stays as it is until it can be read.
    #[error(
        "{path}/volumes/{file} cannot be read at offset {offset}: {source}; nothing on the disk was changed and the node retries: \
         check the kernel log and the hardware, or replace the disk"
    )]
    Unreadable { path: String, file: String, offset: u64, source: std::io::Error },
    /// A read of the index failed.
    #[error(
        "the index of {path} cannot be read: {source}; the node retries: check the kernel log and the hardware, or remove \
         index.redb to have it made again from the volumes"
    )]
    UnreadableIndex { path: String, source: std::io::Error },
    /// The index can be neither opened nor replaced by an empty one.
    #[error("the index of {path} cannot be opened: {source}")]
    Index { path: String, source: redb::Error },
}
