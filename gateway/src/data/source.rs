//! Where bodies come from and what is computed over them.

use std::future::Future;

use bytes::Bytes;

/// A body that arrives piece by piece.
pub trait BodySource: Send {
    /// Why it may end early.
    type Error: Send;

    /// The next piece; `None` at the end. By then everything about the body that can be checked has been checked.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

/// Digests over a body. Large bodies are digested on a thread of their own, because MD5 is slower than all the rest.
pub trait BodyDigest: Send + 'static {
    fn update(&mut self, bytes: &[u8]);
}
