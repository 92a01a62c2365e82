//! Why a disk cannot be put into service.

use cairn_core::id::{ClusterId, DiskId};

use crate::format::BlockError;

/// A disk that is not opened. Every message names the directory and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no superblock: an empty directory, an unmounted filesystem, or no directory at all.
    #[error("{path} holds no disk: {source}; put the directory back or mount the filesystem that belongs there")]
    NotADisk {
        /// The directory.
        path: String,
        /// What the filesystem said.
        source: std::io::Error,
    },
    /// The superblock is damaged or of a later release.
    #[error(
        "the superblock of {path} cannot be used: {source}; {}",
        match source {
            BlockError::Newer { .. } => "start a release that knows this format",
            _ => "restore the file `superblock` from a backup, or replace the disk",
        }
    )]
    Superblock {
        /// The directory.
        path: String,
        /// What is wrong.
        source: BlockError,
    },
    /// Another cluster's disk.
    #[error(
        "the disk at {path} belongs to cluster {found}, this is cluster {expected}; mount the right disk there, or \
         empty the directory and give it a new name to use it here"
    )]
    OtherCluster {
        /// The directory.
        path: String,
        /// The cluster in the superblock.
        found: ClusterId,
        /// This cluster.
        expected: ClusterId,
    },
    /// Another disk than the one that belongs in this directory.
    #[error("{path} should hold disk {expected} and holds disk {found}; mount each disk where it was")]
    OtherDisk {
        /// The directory.
        path: String,
        /// The disk in the superblock.
        found: DiskId,
        /// The disk that was there before.
        expected: DiskId,
    },
    /// Another process uses the disk.
    #[error("the disk at {path} is in use by another process; stop that first")]
    InUse {
        /// The directory.
        path: String,
    },
    /// A volume file that is not this disk's.
    #[error("{path}/volumes/{file} is not a volume of this disk: {detail}; move the file to where it belongs")]
    ForeignVolume {
        /// The directory.
        path: String,
        /// The file's name.
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A directory that should be formatted is not empty.
    #[error("{path} is not formatted because it holds {found} already; use an empty directory")]
    NotEmpty {
        /// The directory.
        path: String,
        /// What stands there.
        found: &'static str,
    },
    /// The filesystem failed.
    #[error("{what} failed in {path}: {source}")]
    Io {
        /// The directory.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the filesystem said.
        source: std::io::Error,
    },
    /// The index can be neither read nor made anew.
    #[error("the index of {path} cannot be opened: {source}")]
    Index {
        /// The directory.
        path: String,
        /// What redb said.
        source: redb::Error,
    },
}
