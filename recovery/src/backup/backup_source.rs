//! A backup as the body of an object.

use std::io;

use bytes::Bytes;
use cairn_gateway::data::BodySource;
use cairn_metadata::backup::BackupReader;
use tokio::task::spawn_blocking;

/// Reads a backup from its file, off the threads that run tasks.
pub(super) struct BackupSource(Option<BackupReader>);

impl BackupSource {
    pub(super) fn new(reader: BackupReader) -> Self {
        Self(Some(reader))
    }
}

impl BodySource for BackupSource {
    type Error = io::Error;

    async fn next(&mut self) -> Result<Option<Bytes>, io::Error> {
        let Some(mut reader) = self.0.take() else { return Ok(None) };
        let read = spawn_blocking(move || (reader.next_piece(), reader)).await;
        let (piece, reader) = read.map_err(io::Error::other)?;
        self.0 = Some(reader);
        Ok(piece.map_err(io::Error::other)?.map(Bytes::from))
    }
}
