//! Why a member does not start.

use std::path::PathBuf;

use cairn_core::id::ClusterId;

use super::format::FORMAT_VERSION;

/// Why a member does not start. Each error says what was found and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory should hold metadata but does not.
    #[error(
        "{dir} holds no metadata, but the disks of this process belong to cluster {cluster}: mount the right directory, or restore a backup into it"
    )]
    Lost { dir: PathBuf, cluster: ClusterId },
    /// A part of the directory is missing.
    #[error(
        "{dir}: {found}, but {missing}: restore the whole directory from one backup; Cairn does not start afresh over what is left"
    )]
    Incomplete {
        dir: PathBuf,
        /// What exists.
        found: &'static str,
        /// What is missing.
        missing: String,
    },
    /// The directory belongs to another member or cluster.
    #[error("{dir} belongs to {theirs}, not to {ours}: check the configuration and the mounts")]
    Foreign {
        dir: PathBuf,
        /// The owner that was found.
        theirs: String,
        /// The owner that was expected.
        ours: String,
    },
    /// A newer release wrote the directory.
    #[error(
        "{dir} has format version {found}, this release reads up to {FORMAT_VERSION}: install the newer release again"
    )]
    Newer { dir: PathBuf, found: u32 },
    /// A file cannot be opened or read.
    #[error(
        "{path}: {detail}: if another process has it open, stop that one; if it is damaged, restore the directory from a backup"
    )]
    Unreadable { path: PathBuf, detail: String },
    /// A file is well and of another release, or another group.
    #[error("{path}: {detail}. Nothing was changed")]
    Unfit { path: PathBuf, detail: String },
    /// A file's contents differ from what was written.
    #[error(
        "{path} is damaged: {detail}. Nothing was changed. If other members are well, remove this one (`cairn metadata \
         members remove`), empty its directory, and add it again; if it is the only one, restore a backup into an empty \
         directory (`cairn metadata restore`), and look at the disk before it is used again"
    )]
    Damaged { path: PathBuf, detail: String },
    #[error("the metadata service does not start: {0}")]
    Raft(String),
}
