//! Leaves the connection in a defined state when a response is ready before the request's body was read.
//!
//! Closing a socket with unread bytes resets it, and the client may never see the response. So the rest of the body is
//! read and thrown away, within limits. Beyond them, and for a client that still waits for `100 Continue`, the response
//! announces that the connection ends. Source: RFC 9112, section 9.6; RFC 9110, section 10.1.1.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use cairn_core::sync::IgnorePoison;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;

/// Bytes of an unwanted body that are read before the response.
const DRAIN_BYTES_MAX: u64 = 8 << 20;
/// Time limit for reading them.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(2);

/// Gets a request's body back from an operation that dropped it half-read.
pub(super) struct UnreadBody {
    returned: Arc<Mutex<Option<Returned>>>,
    waits_for_continue: bool,
    is_empty: bool,
}

/// A body that was not read to its end.
struct Returned {
    body: Body,
    touched: bool,
}

impl UnreadBody {
    pub(super) fn watch(headers: &HeaderMap, body: Body) -> (Self, Body) {
        let returned = Arc::default();
        let waits_for_continue = headers.contains_key(EXPECT);
        let is_empty = body.is_end_stream();
        if is_empty {
            return (Self { returned, waits_for_continue, is_empty }, body);
        }
        let watched = Watched { inner: Some(body), touched: false, returned: Arc::clone(&returned) };
        (Self { returned, waits_for_continue, is_empty }, Body::new(watched))
    }

    /// Reads the rest. Returns whether the connection can be used again.
    pub(super) async fn drain(self) -> bool {
        // There is no body to continue with, so `100 Continue` is never sent. botocore, which expects it even for an
        // empty body, would mistake the next response on this connection for it.
        if self.waits_for_continue && self.is_empty {
            return false;
        }
        let Some(left) = self.returned.lock().ignore_poison().take() else { return true };
        // The client sends nothing until it gets `100 Continue`, and it must not get that any more.
        if self.waits_for_continue && !left.touched {
            return false;
        }
        tokio::time::timeout(DRAIN_TIME_MAX, read_to_end(left.body)).await.unwrap_or(false)
    }
}

/// Returns `false` if the end is too far away.
async fn read_to_end(mut body: Body) -> bool {
    let mut drained = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        drained += frame.data_ref().map_or(0, |data| data.len() as u64);
        if drained > DRAIN_BYTES_MAX {
            return false;
        }
    }
    true
}

/// A body that goes back to its [`UnreadBody`] when it is dropped before its end.
struct Watched {
    inner: Option<Body>,
    touched: bool,
    returned: Arc<Mutex<Option<Returned>>>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.touched = true;
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(inner).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.inner = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(body) = self.inner.take().filter(|body| !body.is_end_stream()) {
            let returned = Returned { body, touched: self.touched };
            *self.returned.lock().ignore_poison() = Some(returned);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn body(chunks: usize) -> Body {
        let chunks = (0..chunks).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![0; 1 << 20])));
        Body::from_stream(stream::iter(chunks))
    }

    /// Reads `frames` frames of a body of `chunks` MiB and drops it. Returns whether the connection can be used again.
    async fn check(chunks: usize, frames: usize, expects: bool) -> bool {
        let mut headers = HeaderMap::new();
        if expects {
            headers.insert(EXPECT, "100-continue".parse().unwrap());
        }
        let (unread, mut body) = UnreadBody::watch(&headers, body(chunks));
        for _ in 0..frames {
            body.frame().await;
        }
        drop(body);
        unread.drain().await
    }

    #[tokio::test]
    async fn a_connection_is_reused_only_after_its_body_was_read() {
        assert!(check(3, 4, false).await, "read to its end");
        assert!(check(3, 0, false).await, "little is left");
        assert!(check(3, 1, true).await, "the client was told to go on");
        assert!(!check(3, 0, true).await, "the client still waits");
        assert!(!check(20, 1, false).await, "too much is left");
        assert!(UnreadBody::watch(&HeaderMap::new(), Body::empty()).0.drain().await);
        let expects = HeaderMap::from_iter([(EXPECT, "100-continue".parse().unwrap())]);
        assert!(!UnreadBody::watch(&expects, Body::empty()).0.drain().await, "the client waits for nothing");
    }
}
