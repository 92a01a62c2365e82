//! Bodies of requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;

/// The body of a request. Bytes shared by several requests are never copied.
#[derive(Debug)]
pub enum RequestBody {
    /// Bytes in memory.
    Bytes(Full<Bytes>),
    /// Bytes produced while they are sent. If their length is known, the body's size hint must be exact.
    Stream(UnsyncBoxBody<Bytes, Infallible>),
}

impl RequestBody {
    pub fn empty() -> Self {
        Self::Bytes(Full::default())
    }

    /// A body produced while it is sent.
    pub fn stream(body: impl Body<Data = Bytes, Error = Infallible> + Send + 'static) -> Self {
        Self::Stream(UnsyncBoxBody::new(body))
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(Full::new(bytes))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Bytes(body) => Pin::new(body).poll_frame(cx),
            Self::Stream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Bytes(body) => body.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Bytes(body) => body.size_hint(),
            Self::Stream(body) => body.size_hint(),
        }
    }
}
