//! Checks whether a backup is complete.

use std::io::Read;

use super::format::FrameReader;
use super::{BackupError, BackupSummary};

/// Reads a backup to its end and checks every byte of it.
pub fn verify(from: impl Read) -> Result<BackupSummary, BackupError> {
    let mut reader = FrameReader::begin(from)?;
    let head = reader.head()?;
    let mut bytes = 0;
    reader.records(|records| {
        bytes += records.len() as u64;
        Ok(())
    })?;
    Ok(BackupSummary::new(&head, bytes))
}
