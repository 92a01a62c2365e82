//! An open connection.

use tokio::io::{AsyncRead, AsyncWrite};

/// An open connection, in bytes. It is boxed once, when it is opened; vectored writes pass through the box.
#[warn(missing_docs)]
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection of any kind.
pub type BoxedStream = Box<dyn Stream>;
