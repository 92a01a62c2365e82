//! Backups of the metadata and the comparison with the disks, where a metadata member runs.

use std::sync::Arc;
use std::time::Duration;

use cairn_metadata::Handle;
use cairn_recovery::backup::{BackupsInDirectory, BackupsInStore, StoreBackupOptions};
use cairn_recovery::compare::Comparison;

use super::shared::Shared;
use crate::config::Config;
use crate::layout;

/// Backups into the store: at an interval if so configured, and whenever the operator asks for one.
pub(crate) fn in_store(config: &Config, shared: &Shared, member: Handle) -> BackupsInStore {
    BackupsInStore::new(StoreBackupOptions {
        member,
        nodes: shared.directory.clone(),
        clock: Arc::clone(&shared.system.clock),
        random: Arc::clone(&shared.system.random),
        spool: layout::backup_spool(config),
        kept: config.metadata_backups_in_store as usize,
    })
}

/// Whether backups into the store are made at an interval.
pub(crate) fn are_stored(config: &Config) -> bool {
    config.metadata_backups_in_store > 0
}

/// Backups into a directory, if one is configured.
pub(crate) fn in_directory(config: &Config, member: Handle) -> Option<BackupsInDirectory> {
    let dir = config.metadata_backup_dir.clone()?;
    Some(BackupsInDirectory { member, dir, interval: interval(config), kept: config.metadata_backups_kept as usize })
}

/// Time between two backups.
pub(crate) fn interval(config: &Config) -> Duration {
    Duration::from_secs(config.metadata_backup_interval_s)
}

pub(crate) fn comparison(shared: &Shared, member: Handle) -> Comparison {
    Comparison { member, nodes: shared.directory.clone(), clock: Arc::clone(&shared.system.clock) }
}
