//! Cuts a body into stripes.

use bytes::{Bytes, BytesMut};

use super::error::WriteError;
use crate::data::source::BodySource;

/// Fills stripes from a body. This is the only copy of the payload bytes on their way to the disk.
pub(super) struct StripeReader<'a, S: BodySource> {
    source: &'a mut S,
    rest: Bytes,
    received: u64,
    expected: u64,
}

impl<'a, S: BodySource> StripeReader<'a, S> {
    pub(super) fn new(source: &'a mut S, expected: u64) -> Self {
        Self { source, rest: Bytes::new(), received: 0, expected }
    }

    /// The next `length` bytes, then zeros up to `padded` bytes.
    pub(super) async fn next(&mut self, length: usize, padded: usize) -> Result<Bytes, WriteError<S::Error>> {
        // A small body in one piece needs no copy.
        if self.rest.is_empty() {
            self.fill().await?;
        }
        if self.rest.len() >= length && length == padded {
            return Ok(self.rest.split_to(length));
        }
        let mut stripe = BytesMut::with_capacity(padded);
        while stripe.len() < length {
            if self.rest.is_empty() {
                self.fill().await?;
            }
            let take = self.rest.len().min(length - stripe.len());
            stripe.extend_from_slice(&self.rest.split_to(take));
        }
        stripe.resize(padded, 0);
        Ok(stripe.freeze())
    }

    /// Reads the body to its end, where digests and signatures in trailers are checked.
    pub(super) async fn expect_end(&mut self) -> Result<(), WriteError<S::Error>> {
        let long = || WriteError::Long { expected: self.expected };
        if !self.rest.is_empty() {
            return Err(long());
        }
        while let Some(piece) = self.source.next().await.map_err(WriteError::Body)? {
            if !piece.is_empty() {
                return Err(WriteError::Long { expected: self.expected });
            }
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), WriteError<S::Error>> {
        while self.rest.is_empty() {
            match self.source.next().await.map_err(WriteError::Body)? {
                Some(piece) => self.rest = piece,
                None => return Err(WriteError::Short { received: self.received, expected: self.expected }),
            }
        }
        self.received += self.rest.len() as u64;
        Ok(())
    }
}
