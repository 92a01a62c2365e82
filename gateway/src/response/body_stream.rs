//! Objects as response bodies.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use crate::data::{BodyReader, ReadError};

/// Batches that wait while one is being sent.
const BATCHES_AHEAD: usize = 1;

/// Turns a reader into a response body of `length` bytes.
///
/// The first batch is read here, so that an object that cannot be read at all gets an error and not a broken 200. A
/// later failure breaks the connection: a body that ends cleanly is complete (I6).
pub(crate) async fn stream(mut reader: BodyReader, length: u64) -> Result<Body, ReadError> {
    let first = reader.next_batch().await?.unwrap_or_default();
    let ready: u64 = first.iter().map(|b| b.len() as u64).sum();
    if ready == length {
        return Ok(Body::from(join(first)));
    }
    let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
    tokio::spawn(read_ahead(reader, sender));
    Ok(Body::new(BatchBody { frames: first.into(), batches, left: length }))
}

fn join(mut frames: Vec<Bytes>) -> Bytes {
    if frames.len() == 1 {
        return frames.swap_remove(0);
    }
    let mut joined = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
    for frame in &frames {
        joined.extend_from_slice(frame);
    }
    joined.freeze()
}

async fn read_ahead(mut reader: BodyReader, sender: mpsc::Sender<Result<Vec<Bytes>, ReadError>>) {
    loop {
        let batch = match reader.next_batch().await {
            Ok(Some(batch)) => Ok(batch),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "a read failed half-way; closing the connection");
                Err(error)
            }
        };
        let failed = batch.is_err();
        if sender.send(batch).await.is_err() || failed {
            return;
        }
    }
}

/// A response body that receives batches from a reading task.
struct BatchBody {
    frames: VecDeque<Bytes>,
    batches: mpsc::Receiver<Result<Vec<Bytes>, ReadError>>,
    left: u64,
}

/// The reader stopped before the announced length.
#[derive(Debug, thiserror::Error)]
#[error("the object ended {0} bytes early")]
struct EndedEarly(u64);

type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl http_body::Body for BatchBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                self.left -= (frame.len() as u64).min(self.left);
                return Poll::Ready(Some(Ok(Frame::data(frame))));
            }
            match std::task::ready!(self.batches.poll_recv(context)) {
                Some(Ok(batch)) => self.frames = batch.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(Box::new(error)))),
                None if self.left == 0 => return Poll::Ready(None),
                None => return Poll::Ready(Some(Err(Box::new(EndedEarly(self.left))))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
