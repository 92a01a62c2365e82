//! Extracts the object's bytes from a request's body.

use std::fmt::Display;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;

use super::chunked::{ChunkDecoder, Step};
use super::expected::ExpectedDigests;
use super::framing::BodyFraming;
use super::hasher::BodyHasher;
use super::trailers::Trailers;
use crate::error::{S3Error, S3ErrorCode};

/// Yields the bytes of an object without the framing of the body. Nothing is copied: the pieces are slices of what came
/// from the connection. Timeouts are up to the caller.
#[derive(Debug)]
pub struct Payload<B> {
    body: B,
    framing: Framing,
    ended: bool,
}

#[derive(Debug)]
enum Framing {
    Plain { left: Option<u64> },
    Chunked(Box<ChunkDecoder>),
}

impl<B> Payload<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    pub fn new(body: B, framing: BodyFraming) -> Self {
        let framing = match framing.decoder() {
            Ok(decoder) => Framing::Chunked(Box::new(decoder)),
            Err(left) => Framing::Plain { left },
        };
        Self { body, framing, ended: false }
    }

    /// The next bytes, never empty. `None` after the end, which is reported only if the body was complete and all
    /// signatures of its chunks, if it has any, were valid. After an error nothing more can be read.
    pub async fn next(&mut self) -> Option<Result<Bytes, S3Error>> {
        if self.ended {
            return None;
        }
        let next = self.advance().await.transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }

    /// The fields after the body; complete once [`Self::next`] has returned `None`.
    pub fn trailers(&self) -> Trailers {
        match &self.framing {
            Framing::Plain { .. } => Trailers::default(),
            Framing::Chunked(decoder) => decoder.trailers().clone(),
        }
    }

    /// Reads a small body, such as a document, to its end and checks it. More than `bytes_max` bytes are refused with
    /// `MaxMessageLengthExceeded`.
    pub async fn collect(mut self, bytes_max: usize, expected: &ExpectedDigests) -> Result<Bytes, S3Error> {
        let mut hasher = BodyHasher::new(expected.wanted());
        let mut collected = BytesMut::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if collected.len() + piece.len() > bytes_max {
                return Err(S3ErrorCode::MaxMessageLengthExceeded.into());
            }
            hasher.update(&piece);
            collected.extend_from_slice(&piece);
        }
        expected.verify(&hasher.finish(), &self.trailers())?;
        Ok(collected.freeze())
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            if let Framing::Chunked(decoder) = &mut self.framing
                && let Step::Data(data) = decoder.step()?
            {
                return Ok(Some(data));
            }
            let data = next_data(&mut self.body).await?;
            match (&mut self.framing, data) {
                (Framing::Plain { left }, Some(data)) => {
                    if let Some(left) = left {
                        *left = left.checked_sub(data.len() as u64).ok_or(S3ErrorCode::IncompleteBody)?;
                    }
                    return Ok(Some(data));
                }
                (Framing::Plain { left: None | Some(0) }, None) => return Ok(None),
                (Framing::Plain { .. }, None) => return Err(S3ErrorCode::IncompleteBody.into()),
                (Framing::Chunked(decoder), Some(data)) => decoder.feed(data),
                (Framing::Chunked(decoder), None) => {
                    decoder.finish()?;
                    return Ok(None);
                }
            }
        }
    }
}

/// The next frame that has data.
async fn next_data<B>(body: &mut B) -> Result<Option<Bytes>, S3Error>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => {
                tracing::debug!(%error, "the connection broke while a body was read; refusing the request");
                return Err(S3ErrorCode::IncompleteBody.into());
            }
            // Frames without data are HTTP's own trailers, which S3 does not use.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data()
                    && !data.is_empty()
                {
                    return Ok(Some(data));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::task::{Context, Poll};

    use http_body::Frame;

    use super::*;
    use crate::body::ChunkSigning;

    /// A body in given pieces.
    struct Pieces(VecDeque<&'static [u8]>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(Bytes::from_static(piece)))))
        }
    }

    async fn read(framing: BodyFraming, pieces: &[&'static [u8]]) -> Result<Vec<u8>, S3ErrorCode> {
        let mut payload = Payload::new(Pieces(pieces.iter().copied().collect()), framing);
        let mut out = Vec::new();
        while let Some(piece) = payload.next().await {
            out.extend_from_slice(&piece.map_err(|error| error.code())?);
        }
        assert!(payload.next().await.is_none());
        Ok(out)
    }

    #[tokio::test]
    async fn plain_bodies_have_exactly_the_announced_length() {
        let plain = |length| BodyFraming::Plain { length };
        assert_eq!(read(plain(Some(3)), &[b"ab", b"", b"c"]).await, Ok(b"abc".to_vec()));
        assert_eq!(read(plain(None), &[b"ab", b"c"]).await, Ok(b"abc".to_vec()));
        assert_eq!(read(plain(Some(4)), &[b"ab", b"c"]).await, Err(S3ErrorCode::IncompleteBody));
        assert_eq!(read(plain(Some(2)), &[b"ab", b"c"]).await, Err(S3ErrorCode::IncompleteBody));
    }

    #[tokio::test]
    async fn chunked_bodies_are_read_to_their_end() {
        let chunked = || BodyFraming::Chunked { length: 3, signing: ChunkSigning::Unsigned };
        assert_eq!(read(chunked(), &[b"3\r", b"\nabc\r\n0\r\n", b"\r\n"]).await, Ok(b"abc".to_vec()));
        assert_eq!(read(chunked(), &[b"3\r\nabc\r\n0\r\n"]).await, Err(S3ErrorCode::IncompleteBody));
        assert_eq!(read(chunked(), &[b"3\r\nabc\r\n0\r\n\r\n", b"x"]).await, Err(S3ErrorCode::InvalidRequest));
    }

    #[tokio::test]
    async fn documents_are_bounded() {
        let collect = async |length: u64, bytes_max| {
            let payload = Payload::new(Pieces([&b"abc"[..]].into()), BodyFraming::Plain { length: Some(length) });
            payload.collect(bytes_max, &ExpectedDigests::default()).await.map_err(|error| error.code())
        };
        assert_eq!(collect(3, 3).await, Ok(Bytes::from_static(b"abc")));
        assert_eq!(collect(3, 2).await, Err(S3ErrorCode::MaxMessageLengthExceeded));
        assert_eq!(collect(4, 9).await, Err(S3ErrorCode::IncompleteBody));
    }
}
