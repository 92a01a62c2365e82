//! Where bodies come from and what is computed over them.

use std::future::Future;

use bytes::Bytes;

/// A body that arrives piece by piece.
pub trait BodySource: Send {
    /// Why it may end early.
    type Error: Send;

    /// The next piece, or nothing at the end. Whatever has to be checked of the body has been checked by then.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

/// Digests over a body. Runs on a thread of its own for large bodies, because MD5 is slower than all the rest.
pub trait BodyDigest: Send + 'static {
    /// Takes the next bytes.
    fn update(&mut self, bytes: &[u8]);
}
