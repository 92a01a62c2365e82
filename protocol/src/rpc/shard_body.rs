//! A request body that is filled cell by cell.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::footprint::write_batch_stripes;
use cairn_core::shard::ShardHeader;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// A cell's data, and its checksum.
const PIECES_PER_CELL: usize = 2;

/// The bytes of a shard's body, whose length is known from the start. Ending early is an error that breaks the
/// connection, so that the storage node never takes half a shard for a whole one.
pub(super) struct ShardBody {
    frames: mpsc::Receiver<Bytes>,
    remaining: u64,
}

impl ShardBody {
    /// The body of the shard of `header`, and the sender of its pieces. A batch of them may wait for the connection.
    pub(super) fn new(header: &ShardHeader) -> (mpsc::Sender<Bytes>, Self) {
        let cells = write_batch_stripes(&header.geometry) as usize;
        let (sender, frames) = mpsc::channel(PIECES_PER_CELL * cells);
        (sender, Self { frames, remaining: header.body_bytes() })
    }
}

/// The pieces of the body that `cell` becomes.
pub(super) fn pieces(cell: Cell) -> [Bytes; PIECES_PER_CELL] {
    [cell.data, Bytes::copy_from_slice(&cell.checksum.0)]
}

impl Body for ShardBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        match self.frames.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(piece)) if piece.len() as u64 <= self.remaining => {
                self.remaining -= piece.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready(Some(_)) => Poll::Ready(Some(Err(std::io::Error::other("the shard has too many bytes")))),
            Poll::Ready(None) => Poll::Ready(Some(Err(std::io::Error::other("the shard was abandoned")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
