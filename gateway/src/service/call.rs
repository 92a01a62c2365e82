//! A request that was let in, on its way to its operation.

use std::sync::Mutex;

use axum::body::Body;
use cairn_core::id::UploadId;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::sync::IgnorePoison;
use cairn_core::version::VersionId;
use http::{HeaderMap, Response};

use super::query::Query;
use super::target::{self, Target};
use super::version::parse_version_id;
use crate::auth::PayloadAuth;
use crate::body::{BodyFraming, ExpectedDigests, Payload};
use crate::error::{S3Error, S3ErrorCode};
use crate::gateway::Gateway;

/// What an operation answers.
pub(crate) type Answer = Result<Response<Body>, S3Error>;

/// An authenticated request.
pub(crate) struct Call {
    pub(crate) gateway: Gateway,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: PayloadAuth,
    /// Behind a lock that is never contended, so that a call can be lent to other functions across an await.
    body: Mutex<Body>,
}

impl Call {
    /// A request whose signature holds.
    pub(crate) fn new(
        gateway: Gateway,
        target: Target,
        query: Query,
        headers: HeaderMap,
        payload: PayloadAuth,
        body: Body,
    ) -> Self {
        Self { gateway, target, query, headers, payload, body: Mutex::new(body) }
    }

    /// The bucket of the request.
    pub(crate) fn bucket(&self) -> Result<BucketName, S3Error> {
        target::bucket_name(self.target.bucket.as_deref().unwrap_or_default())
    }

    /// The key of the request.
    pub(crate) fn key(&self) -> Result<ObjectKey, S3Error> {
        target::object_key(self.target.key.as_deref().unwrap_or_default())
    }

    /// The `uploadId` of the request. A text that is none of ours names no upload.
    pub(crate) fn upload_id(&self) -> Result<UploadId, S3Error> {
        parse_upload_id(self.query.get("uploadId").unwrap_or_default()).ok_or(S3ErrorCode::NoSuchUpload.into())
    }

    /// The version that the request names, if it names one.
    pub(crate) fn version_id(&self) -> Result<Option<VersionId>, S3Error> {
        self.query.get("versionId").map(|text| parse_version_id("versionId", text)).transpose()
    }

    /// A header as text; nothing if it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The digests that the request announces for its body.
    pub(crate) fn expected_digests(&self) -> Result<ExpectedDigests, S3Error> {
        ExpectedDigests::from_headers(&self.headers, self.signed_sha256())
    }

    /// Demands a digest of the body, as S3 does where a garbled body would do great harm.
    pub(crate) fn demand_integrity_check(&self) -> Result<(), S3Error> {
        if self.expected_digests()?.has_integrity_check() {
            return Ok(());
        }
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
    }

    fn signed_sha256(&self) -> Option<[u8; 32]> {
        match &self.payload {
            PayloadAuth::SignedSha256(hash) => Some(*hash),
            _ => None,
        }
    }

    /// Takes the body of the request, with its framing known.
    pub(crate) fn take_body(&mut self) -> Result<(BodyFraming, Body), S3Error> {
        let framing = BodyFraming::from_headers(&self.headers, &self.payload)?;
        Ok((framing, self.body()))
    }

    fn body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().ignore_poison())
    }

    /// Reads a small body, such as an XML document, to its end and checks it. No body at all is an empty one.
    pub(crate) async fn read_document(&mut self, bytes_max: usize) -> Result<bytes::Bytes, S3Error> {
        let expected = self.expected_digests()?;
        self.read_checked(bytes_max, &expected).await
    }

    /// As [`Self::read_document`], for CompleteMultipartUpload, whose `x-amz-checksum-…` is of the object to be and not
    /// of the body.
    pub(crate) async fn read_completion(&mut self, bytes_max: usize) -> Result<bytes::Bytes, S3Error> {
        let expected = ExpectedDigests::without_checksum(&self.headers, self.signed_sha256())?;
        self.read_checked(bytes_max, &expected).await
    }

    async fn read_checked(&mut self, bytes_max: usize, expected: &ExpectedDigests) -> Result<bytes::Bytes, S3Error> {
        let (framing, body) = match self.take_body() {
            Err(error) if error.code() == S3ErrorCode::MissingContentLength => {
                (BodyFraming::Plain { length: Some(0) }, self.body())
            }
            other => other?,
        };
        Payload::new(body, framing).collect(bytes_max, expected).await
    }
}

/// The text of an upload id: opaque to clients.
pub(crate) fn upload_id_text(id: UploadId) -> String {
    format!("{:016x}", id.0)
}

/// The inverse of [`upload_id_text`].
pub(crate) fn parse_upload_id(text: &str) -> Option<UploadId> {
    let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(UploadId)
}
