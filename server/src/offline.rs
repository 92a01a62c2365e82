//! What is done to a data directory whose server does not run: a metadata member is restored, or recovered.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_metadata::backup::{self, BackupError, RecoverOptions, RestoreOptions};

pub use crate::from_disks::{FromDisks, rebuild, restore_from_disks};
pub use cairn_metadata::backup::BackupSummary;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::credentials::CredentialsError;
use crate::data_dir::{DataDir, DataDirError};
use crate::random::SystemRandom;

/// Why it was not done. The data directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// See [`DataDirError`]: a server that runs has the directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// See [`BackupError`].
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// See [`CredentialsError`].
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The disks of this configuration cannot be opened.
    #[error(transparent)]
    StorageNode(#[from] cairn_storage_node::StartError),
    /// A disk does not answer.
    #[error(transparent)]
    Storage(#[from] cairn_protocol::storage::StorageError),
    /// What lies on the disks cannot be read.
    #[error("{0}")]
    Read(String),
    /// A storage node does not answer.
    #[error("the storage node {addr} does not answer ({source}): start it, or leave it out if it is lost for good")]
    Node {
        /// Its address.
        addr: String,
        /// What happened.
        source: cairn_protocol::storage::StorageError,
    },
    /// No disk is there.
    #[error("no disk of the cluster is there to be read ({0}): name the storage nodes with --node HOST:PORT")]
    NoDisks(String),
    /// The nodes are not of the same cluster.
    #[error("the storage node {addr} belongs to cluster {other}, others to {first}: name those of one cluster")]
    TwoClusters {
        /// Its address.
        addr: String,
        /// Its cluster.
        other: cairn_core::id::ClusterId,
        /// That of the others.
        first: cairn_core::id::ClusterId,
    },
    /// No backup can be read.
    #[error(
        "the disks hold no backup of the metadata that can be read. Not whole: {passed_over:?}; disks that are away: \
         {missing:?}. Bring more disks, restore from a file, or make an empty namespace with `cairn metadata rebuild`, \
         into which comes back what the disks hold as a whole"
    )]
    NoBackup {
        /// Those that are not whole.
        passed_over: String,
        /// Disks that are away.
        missing: String,
    },
    /// The backup cannot be opened.
    #[error("{path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
}

/// Reads a backup to its end and checks every byte.
pub fn verify_backup(from: impl Read) -> Result<BackupSummary, OfflineError> {
    Ok(backup::verify(from)?)
}

/// Makes the metadata member of `config` from a backup. It will be the only member.
pub fn restore(config: &Config, file: &Path) -> Result<BackupSummary, OfflineError> {
    let opened = File::open(file).map_err(|source| OfflineError::Open { path: file.to_owned(), source })?;
    let _lock = DataDir::open(&config.data)?;
    let options =
        RestoreOptions { dir: metadata_dir(config), member: config.metadata_id, addr: config.rpc_advertise.clone() };
    Ok(backup::restore(BufReader::with_capacity(1 << 20, opened), &options, &SystemRandom)?)
}

/// Makes the metadata member of `config` the only one, with everything that is in its log.
pub fn recover(config: &Config) -> Result<BackupSummary, OfflineError> {
    let _lock = DataDir::open(&config.data)?;
    let options =
        RecoverOptions { dir: metadata_dir(config), member: config.metadata_id, addr: config.rpc_advertise.clone() };
    Ok(backup::recover(&options, Arc::new(SystemClock::new()), &SystemRandom)?)
}

/// Where the metadata member of `config` keeps its files.
pub(crate) fn metadata_dir(config: &Config) -> PathBuf {
    config.data.join("metadata")
}
