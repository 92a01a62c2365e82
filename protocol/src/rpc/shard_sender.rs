//! A shard that is being sent to another process.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::DiskId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::shard_body::pieces;
use crate::storage::{ShardWriter, StorageError, StorageErrorKind};

/// Fills the body of a request that runs in its own task.
pub(super) struct ShardSender {
    pub(super) disk: DiskId,
    pub(super) geometry: Geometry,
    /// Cells sent so far.
    pub(super) cells: u32,
    pub(super) body: mpsc::Sender<Bytes>,
    /// Taken once the answer was read.
    pub(super) answer: Option<JoinHandle<Result<(), StorageError>>>,
}

/// Time that a piece may wait for the connection, and that the answer may take after the last piece.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(30);

impl ShardSender {
    /// The peer's answer. Without one within the limit the outcome is unknown.
    async fn answer(&mut self) -> Result<(), StorageError> {
        let Some(mut answer) = self.answer.take() else {
            return Err(self.unreachable("the peer has ended this shard already".into()));
        };
        match tokio::time::timeout(PROGRESS_TIMEOUT, &mut answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(broken)) => Err(self.unreachable(format!("the request was ended: {broken}"))),
            Err(_) => {
                answer.abort();
                Err(self.unreachable(format!("no answer within {PROGRESS_TIMEOUT:?}")))
            }
        }
    }

    fn unreachable(&self, detail: String) -> StorageError {
        StorageError::new(StorageErrorKind::Unreachable, self.disk, detail)
    }

    fn invalid(&self, detail: String) -> StorageError {
        StorageError::new(StorageErrorKind::Invalid, self.disk, detail)
    }

    /// The peer answered before the shard was complete. That can only be an error.
    async fn early_answer(&mut self) -> StorageError {
        match self.answer().await {
            Err(error) => error,
            Ok(()) => self.unreachable("the peer confirmed a shard that it has not seen whole".into()),
        }
    }
}

#[async_trait]
impl ShardWriter for ShardSender {
    async fn append(&mut self, cells: Vec<Cell>) -> Result<(), StorageError> {
        for cell in cells {
            let expected = self.geometry.cell_length(self.cells);
            if self.cells >= self.geometry.stripes() || cell.data.len() != expected as usize {
                let (index, bytes) = (self.cells, cell.data.len());
                return Err(
                    self.invalid(format!("cell {index} has {bytes} bytes, the shard's geometry requires {expected}"))
                );
            }
            self.cells += 1;
            for piece in pieces(cell) {
                match self.body.send_timeout(piece, PROGRESS_TIMEOUT).await {
                    Ok(()) => {}
                    Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(self.early_answer().await),
                    Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                        return Err(self.unreachable(format!("the disk accepted no data for {PROGRESS_TIMEOUT:?}")));
                    }
                }
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StorageError> {
        let (sent, wanted) = (self.cells, self.geometry.stripes());
        if sent != wanted {
            return Err(self.invalid(format!("the shard ends after {sent} of {wanted} cells")));
        }
        self.answer().await
    }
}
