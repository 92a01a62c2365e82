//! Where bodies come from and what is computed over them.

use std::future::Future;

use bytes::Bytes;

/// A body that arrives piece by piece.
pub trait BodySource: Send {
    /// Why it may end early.
    type Error: Send;

    /// The next piece; `None` at the end. By then everything about the body that can be checked has been checked.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;

    /// Bytes that the source holds in memory beside the piece that it returns. Who reads from it takes them from the budget
    /// together with its own, before the first piece.
    fn held_bytes(&self) -> u64 {
        0
    }
}

/// Digests over a body. Large bodies are digested on a thread of their own, because MD5 is slower than all the rest.
pub trait BodyDigest: Send + 'static {
    fn update(&mut self, bytes: &[u8]);
}
