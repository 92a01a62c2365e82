//! Verbs on the data directory of a stopped server, which restore, recover or reconstruct its metadata member. They lock
//! the directory and pass the work to `cairn_recovery`.

use std::path::Path;
use std::sync::Arc;

use cairn_protocol::rpc::{Identity, Roles};
use cairn_recovery::backup::{BackupError, BackupSummary};
use cairn_recovery::restore::{
    self, FromDisks, LocalDisks, RecoverOptions, RestoreError, RestoreOptions, SearchOptions,
};

use crate::config::{Config, Role};
use crate::credentials::{self, CredentialsError};
use crate::data_dir::{DataDir, DataDirError};
use crate::layout::{metadata_dir, restore_spool, storage_node_dir};
use crate::system::System;

/// Why nothing was done. The data directory is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A running server uses the directory, or it cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Restore(#[from] Box<RestoreError>),
}

impl From<RestoreError> for OfflineError {
    fn from(error: RestoreError) -> Self {
        Self::Restore(Box::new(error))
    }
}

/// Makes the metadata member of `config` from the backup in `file`. It will be the only member.
pub fn restore(config: &Config, file: &Path) -> Result<BackupSummary, OfflineError> {
    let _lock = DataDir::open(&config.server.data)?;
    Ok(restore::restore_from_file(file, &member(config), &*System::real().random)?)
}

/// Makes the metadata member of `config` from the newest backup that lies as a whole on its disks and those of the
/// storage nodes at `addresses`. It will be the only member.
pub async fn restore_from_disks(config: &Config, addresses: &[String]) -> Result<FromDisks, OfflineError> {
    let _lock = DataDir::open(&config.server.data)?;
    let search = search(config, addresses, &System::real())?;
    Ok(restore::restore_from_disks(&member(config), &search, &restore_spool(&config.server)).await?)
}

/// Makes the metadata member of `config` with an empty namespace. It will be the only member.
pub async fn reconstruct(config: &Config, addresses: &[String]) -> Result<FromDisks, OfflineError> {
    let _lock = DataDir::open(&config.server.data)?;
    let search = search(config, addresses, &System::real())?;
    Ok(restore::reconstruct(&member(config), config.metadata.failure_domain, &search).await?)
}

/// Makes the metadata member of `config` the only one, with everything that is in its log.
pub fn recover(config: &Config) -> Result<BackupSummary, OfflineError> {
    let _lock = DataDir::open(&config.server.data)?;
    let RestoreOptions { dir, member, addr } = member(config);
    let options = RecoverOptions { dir, member, addr };
    let system = System::real();
    Ok(restore::recover(&options, system.clock, &*system.threads, &*system.random)?)
}

fn member(config: &Config) -> RestoreOptions {
    RestoreOptions {
        dir: metadata_dir(&config.server),
        member: config.metadata.id,
        addr: config.server.rpc_advertise.clone(),
    }
}

fn search(config: &Config, addresses: &[String], system: &System) -> Result<SearchOptions, OfflineError> {
    let secret = credentials::cluster_secret(&config.cluster, &config.server, &*system.random)?;
    let local = config.server.has(Role::StorageNode).then(|| LocalDisks {
        state_dir: storage_node_dir(&config.server),
        disks: config.storage_node.disks.clone(),
        node_name: config.storage_node.name.clone(),
    });
    Ok(SearchOptions {
        addresses: addresses.to_vec(),
        local,
        rpc: system.rpc_client(&Identity { secret, roles: Roles::ADMIN }),
        clock: Arc::clone(&system.clock),
        random: Arc::clone(&system.random),
        threads: Arc::clone(&system.threads),
    })
}
