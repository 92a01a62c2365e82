//! The file that a backup is written to first: the size of a body must be known before its first byte is placed.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use bytes::Bytes;
use cairn_gateway::data::BodySource;
use cairn_metadata::backup::{self, BackupReader, BackupSummary};
use tokio::io::AsyncReadExt;

use super::error::StoreBackupError;

/// Bytes read from the file at a time.
const PIECE_BYTES: usize = 1 << 20;

/// A whole backup in a file.
pub(super) struct Spooled {
    pub(super) summary: BackupSummary,
    pub(super) bytes: u64,
}

/// Writes a backup to the file and verifies it there.
pub(super) fn fill(mut reader: BackupReader, path: &Path) -> Result<Spooled, StoreBackupError> {
    let failed = |source| StoreBackupError::File { path: path.to_owned(), source };
    let mut file = File::create(path).map_err(failed)?;
    let mut bytes = 0;
    while let Some(piece) = reader.next_piece()? {
        file.write_all(&piece).map_err(failed)?;
        bytes += piece.len() as u64;
    }
    let written = BufReader::with_capacity(PIECE_BYTES, File::open(path).map_err(failed)?);
    Ok(Spooled { summary: backup::verify(written)?, bytes })
}

pub(super) fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot remove a temporary file; the next backup overwrites it");
    }
}

/// The file as the body of an object.
pub(super) struct SpoolSource {
    file: tokio::fs::File,
}

impl SpoolSource {
    pub(super) fn open(path: &Path) -> Result<Self, StoreBackupError> {
        let file = File::open(path).map_err(|source| StoreBackupError::File { path: path.to_owned(), source })?;
        Ok(Self { file: tokio::fs::File::from_std(file) })
    }
}

impl BodySource for SpoolSource {
    type Error = io::Error;

    async fn next(&mut self) -> Result<Option<Bytes>, io::Error> {
        let mut piece = vec![0; PIECE_BYTES];
        let length = self.file.read(&mut piece).await?;
        piece.truncate(length);
        Ok((length > 0).then(|| piece.into()))
    }
}
