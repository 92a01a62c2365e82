//! Computes digests beside the data path.

use std::sync::Arc;

use bytes::Bytes;
use cairn_core::footprint::DIGEST_QUEUE_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::data::source::BodyDigest;

/// Computes a digest in place for small bodies, and on a thread of its own for others: MD5 runs at about 0.6 GB/s per
/// core, a tenth of the speed of encoding, and must not delay it.
pub(super) enum DigestStage<D> {
    Inline(D),
    Thread { queue: Queue, thread: JoinHandle<D> },
}

/// What waits for its digest, at most [`DIGEST_QUEUE_BYTES`] of it or one stripe.
pub(super) struct Queue {
    stripes: mpsc::Sender<Stripe>,
    room: Arc<Semaphore>,
}

/// A stripe, and its room in the queue, which is free once the stripe is digested.
type Stripe = (Bytes, OwnedSemaphorePermit);

/// Bodies up to this many bytes are digested in place: a hop to another thread costs as much as 16 KiB of MD5.
const INLINE_BYTES_MAX: u64 = 64 << 10;
/// Stripes that may wait for their digest, however small they are.
const STRIPES_MAX: usize = 64;

impl<D: BodyDigest> DigestStage<D> {
    pub(super) fn new(digest: D, size: u64) -> Self {
        if size <= INLINE_BYTES_MAX {
            return Self::Inline(digest);
        }
        let (stripes, receiver) = mpsc::channel(STRIPES_MAX);
        let thread = tokio::task::spawn_blocking(move || consume(digest, receiver));
        let room = Arc::new(Semaphore::new(DIGEST_QUEUE_BYTES as usize));
        Self::Thread { queue: Queue { stripes, room }, thread }
    }

    /// Waits while too many bytes wait. A dead thread is noticed at the end.
    pub(super) async fn update(&mut self, data: Bytes) {
        match self {
            Self::Inline(digest) => digest.update(&data),
            Self::Thread { queue, .. } => {
                let bytes = (data.len() as u64).min(DIGEST_QUEUE_BYTES) as u32;
                // Nobody closes the semaphore.
                if let Ok(room) = Arc::clone(&queue.room).acquire_many_owned(bytes).await {
                    let _ = queue.stripes.send((data, room)).await;
                }
            }
        }
    }

    /// The digest over everything; `None` if its thread died.
    pub(super) async fn finish(self) -> Option<D> {
        match self {
            Self::Inline(digest) => Some(digest),
            Self::Thread { queue, thread } => {
                drop(queue);
                thread.await.ok()
            }
        }
    }
}

fn consume<D: BodyDigest>(mut digest: D, mut stripes: mpsc::Receiver<Stripe>) -> D {
    while let Some((stripe, room)) = stripes.blocking_recv() {
        digest.update(&stripe);
        // The memory first: the next stripe takes its room.
        drop(stripe);
        drop(room);
    }
    digest
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::Poll;

    use super::*;

    /// A digest that waits for its turn with each stripe, and counts.
    struct Slow {
        turns: std::sync::mpsc::Receiver<()>,
        bytes: u64,
    }

    impl BodyDigest for Slow {
        fn update(&mut self, bytes: &[u8]) {
            let _ = self.turns.recv();
            self.bytes += bytes.len() as u64;
        }
    }

    /// Counts the bytes of stripes that are alive.
    struct Counted(Vec<u8>, Arc<AtomicU64>);

    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.fetch_sub(self.0.len() as u64, Ordering::SeqCst);
        }
    }

    /// However slow the digest is, no more than the queue's bytes wait for it, or one stripe.
    #[tokio::test]
    async fn what_waits_for_its_digest_is_bounded_in_bytes() {
        for stripe in [1000, 256 << 10, 10 << 20] {
            let (turn, turns) = std::sync::mpsc::channel();
            let alive = Arc::new(AtomicU64::new(0));
            let mut stage = DigestStage::new(Slow { turns, bytes: 0 }, u64::MAX);
            let (mut sent, mut most) = (0, 0);
            for _ in 0..200.min((64 << 20) / stripe) {
                alive.fetch_add(stripe, Ordering::SeqCst);
                let data = Bytes::from_owner(Counted(vec![0; stripe as usize], Arc::clone(&alive)));
                let mut update = std::pin::pin!(stage.update(data));
                // A turn is given only when the stage has no room.
                while !poll_fn(|context| Poll::Ready(update.as_mut().poll(context).is_ready())).await {
                    most = most.max(alive.load(Ordering::SeqCst) - stripe);
                    turn.send(()).unwrap();
                    tokio::task::yield_now().await;
                }
                sent += stripe;
            }
            drop(turn);
            assert_eq!(stage.finish().await.unwrap().bytes, sent);
            assert!(most <= DIGEST_QUEUE_BYTES.max(stripe), "{stripe}: {most} bytes waited");
        }
    }
}
