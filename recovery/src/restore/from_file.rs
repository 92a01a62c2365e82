//! A member from a backup that somebody kept.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use cairn_core::random::RandomSource;
use cairn_metadata::backup::{self, BackupSummary, RestoreOptions};

use super::error::RestoreError;

/// Buffer for reading a backup.
const READ_BYTES: usize = 1 << 20;

/// Makes a member, the only one of its service, from the backup in `file`.
pub fn restore_from_file(
    file: &Path,
    member: &RestoreOptions,
    random: &dyn RandomSource,
) -> Result<BackupSummary, RestoreError> {
    Ok(backup::restore(open(file)?, member, random)?)
}

pub(super) fn open(file: &Path) -> Result<BufReader<File>, RestoreError> {
    let opened = File::open(file).map_err(|source| RestoreError::File { path: file.to_owned(), source })?;
    Ok(BufReader::with_capacity(READ_BYTES, opened))
}
