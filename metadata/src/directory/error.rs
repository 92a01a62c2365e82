//! Why a member does not start.

use std::path::PathBuf;

use cairn_core::id::ClusterId;

use super::format::FORMAT_VERSION;

/// Why a member does not start. Each says what was found and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory should hold metadata and does not.
    #[error(
        "{dir} holds no metadata, but the disks of this process belong to cluster {cluster}: mount the right directory, or restore a backup into it"
    )]
    Lost {
        /// The directory.
        dir: PathBuf,
        /// The cluster on the disks.
        cluster: ClusterId,
    },
    /// A part of the directory is missing.
    #[error(
        "{dir}: {found}, but {missing}: restore the whole directory from one backup; Cairn does not start afresh over what is left"
    )]
    Incomplete {
        /// The directory.
        dir: PathBuf,
        /// What is there.
        found: &'static str,
        /// What is not.
        missing: String,
    },
    /// The directory belongs to another member or cluster.
    #[error("{dir} belongs to {theirs}, not to {ours}: check the configuration and the mounts")]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// Whose it is.
        theirs: String,
        /// Who we are.
        ours: String,
    },
    /// A newer release wrote the directory.
    #[error(
        "{dir} has format version {found}, this release reads up to {FORMAT_VERSION}: install the newer release again"
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A file cannot be opened or read.
    #[error(
        "{path}: {detail}: if another process has it open, stop that one; if it is damaged, restore the directory from a backup"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        detail: String,
    },
    /// A file is not what was written to it.
    #[error(
        "{path} is damaged: {detail}. Nothing was changed. If other members are well, remove this one (`cairn metadata \
         members remove`), empty its directory, and add it again; if it is the only one, restore a backup into an empty \
         directory (`cairn metadata restore`), and look at the disk before it is used again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Raft does not start.
    #[error("the metadata service does not start: {0}")]
    Raft(String),
}
