//! A request that was let in, without its target.

use std::sync::Mutex;

use axum::body::Body;
use bytes::Bytes;
use cairn_core::sync::IgnorePoison;
use http::HeaderMap;

use super::query::Query;
use crate::auth::PayloadAuth;
use crate::body::{BodyFraming, ChecksumAlgorithm, ExpectedDigests, Payload};
use crate::error::{S3Error, S3ErrorCode};

/// An authenticated request.
pub(crate) struct Incoming {
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    payload: PayloadAuth,
    /// Behind a lock that is never contended, so that a request can be lent to other functions across an await.
    body: Mutex<Body>,
}

impl Incoming {
    pub(crate) fn new(query: Query, headers: HeaderMap, payload: PayloadAuth, body: Body) -> Self {
        Self { query, headers, payload, body: Mutex::new(body) }
    }

    /// A header as text; `None` if it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The digests that the request announces for its body.
    pub(crate) fn expected_digests(&self) -> Result<ExpectedDigests, S3Error> {
        ExpectedDigests::from_headers(&self.headers, self.payload.sha256())
    }

    /// The algorithm of the checksum that the new object shall have, where the request names one apart from a value.
    pub(crate) fn checksum_algorithm(&self) -> Result<Option<ChecksumAlgorithm>, S3Error> {
        const NAME: &str = "x-amz-checksum-algorithm";
        let Some(text) = self.header(NAME) else { return Ok(None) };
        ChecksumAlgorithm::parse(text)
            .map(Some)
            .ok_or_else(|| S3Error::invalid_argument(NAME, text, "Checksum algorithm provided is unsupported."))
    }

    /// Demands a digest of the body, as S3 does for requests that would do great harm if garbled.
    pub(crate) fn demand_integrity_check(&self) -> Result<(), S3Error> {
        if self.expected_digests()?.has_integrity_check() {
            return Ok(());
        }
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
    }

    /// Takes the body out, with its framing known.
    pub(super) fn take_body(&mut self) -> Result<(BodyFraming, Body), S3Error> {
        let framing = BodyFraming::from_headers(&self.headers, &self.payload)?;
        Ok((framing, self.body()))
    }

    fn body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().ignore_poison())
    }

    /// Reads a small body, such as an XML document, to its end and checks it. A missing body counts as empty.
    pub(crate) async fn read_document(&mut self, bytes_max: usize) -> Result<Bytes, S3Error> {
        let expected = self.expected_digests()?;
        self.read_checked(bytes_max, &expected).await
    }

    /// As [`Self::read_document`], for CompleteMultipartUpload, whose `x-amz-checksum-…` is that of the new object and
    /// not that of the body.
    pub(crate) async fn read_completion(&mut self, bytes_max: usize) -> Result<Bytes, S3Error> {
        let expected = ExpectedDigests::without_checksum(&self.headers, self.payload.sha256())?;
        self.read_checked(bytes_max, &expected).await
    }

    async fn read_checked(&mut self, bytes_max: usize, expected: &ExpectedDigests) -> Result<Bytes, S3Error> {
        let (framing, body) = match self.take_body() {
            Err(error) if error.code() == S3ErrorCode::MissingContentLength => {
                (BodyFraming::Plain { length: Some(0) }, self.body())
            }
            other => other?,
        };
        Payload::new(body, framing).collect(bytes_max, expected).await
    }
}
