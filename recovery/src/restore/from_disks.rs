//! A member from the newest backup that lies on the disks as a whole.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use cairn_metadata::backup::{self, BackupError, BackupSummary, RestoreOptions};

use super::error::RestoreError;
use super::from_file;
use super::search::{FromDisks, Search, SearchOptions};
use super::unavailable::NoMetadata;
use crate::disks::{FoundBackup, ReadPlan, find_backups, read_backup};

/// Makes a member, the only one of its service, from the newest backup that lies on the disks as a whole. `spool` is a
/// file that a backup is copied to and that is removed again.
pub async fn restore_from_disks(
    member: &RestoreOptions,
    options: &SearchOptions,
    spool: &Path,
) -> Result<FromDisks, RestoreError> {
    let search = Search::begin(options).await?;
    let restored = restore_newest(&search, member, spool).await;
    let _ = std::fs::remove_file(spool);
    search.end().await;
    restored
}

async fn restore_newest(search: &Search<'_>, member: &RestoreOptions, spool: &Path) -> Result<FromDisks, RestoreError> {
    let found = find_backups(&search.map, &search.directory).await?;
    let mut passed_over = Vec::new();
    for backup in &found {
        match restore_one(search, member, backup, spool).await {
            Ok(summary) => return Ok(search.report(Some(summary), passed_over)),
            // The directory is not empty, or cannot be written: another backup would fail too.
            Err(RestoreError::Backup(error @ (BackupError::NotEmpty(_) | BackupError::Store(_)))) => {
                return Err(error.into());
            }
            Err(error) => passed_over.push(format!("{}: {error}", backup.key)),
        }
    }
    Err(RestoreError::NoBackup { passed_over: passed_over.join("; "), missing: search.missing().join("; ") })
}

async fn restore_one(
    search: &Search<'_>,
    member: &RestoreOptions,
    found: &FoundBackup,
    spool: &Path,
) -> Result<BackupSummary, RestoreError> {
    tracing::info!(
        key = found.key,
        bytes = found.bytes,
        written_ms = found.written_ms,
        "reading a backup from the disks"
    );
    let failed = |source| RestoreError::File { path: spool.to_owned(), source };
    let mut file = File::create(spool).map_err(failed)?;
    let plan = ReadPlan {
        map: &search.map,
        nodes: &search.directory,
        metadata: Arc::new(NoMetadata),
        clock: Arc::clone(&search.options.clock),
    };
    read_backup(found, plan, |piece| file.write_all(piece).map_err(failed)).await?;
    // Nothing is begun from a backup that is not whole.
    backup::verify(from_file::open(spool)?)?;
    Ok(backup::restore(from_file::open(spool)?, member, &*search.options.random)?)
}
