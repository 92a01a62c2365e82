//! Backups of the metadata and the comparison with the disks, where a metadata member runs.

use std::sync::Arc;

use cairn_metadata::Handle;
use cairn_recovery::backup::{BackupsInDirectory, BackupsInStore, StoreBackupOptions};
use cairn_recovery::compare::Comparison;

use super::shared::Shared;
use crate::config::Backup;

/// Backups into the store: at an interval if so configured, and whenever the operator asks for one.
pub(crate) fn in_store(backup: &Backup, shared: &Shared, member: Handle) -> BackupsInStore {
    BackupsInStore::new(StoreBackupOptions {
        member,
        nodes: shared.directory.clone(),
        clock: Arc::clone(&shared.system.clock),
        random: Arc::clone(&shared.system.random),
        kept: backup.kept_in_store as usize,
    })
}

/// Backups into a directory, if one is configured.
pub(crate) fn in_directory(backup: &Backup, member: Handle) -> Option<BackupsInDirectory> {
    let dir = backup.dir.clone()?;
    Some(BackupsInDirectory { member, dir, interval: backup.interval, kept: backup.kept as usize })
}

pub(crate) fn comparison(shared: &Shared, member: Handle) -> Comparison {
    Comparison { member, nodes: shared.directory.clone(), clock: Arc::clone(&shared.system.clock) }
}
