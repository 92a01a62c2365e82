//! Finds an object for reading and evaluates the request's conditions.

use std::ops::Range;

use cairn_core::id::PartNumber;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::range::ByteRange;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::{GetObject, ObjectView};
use http::response::Builder;
use http::{Response, StatusCode};

use crate::body::Checksum;
use crate::error::{S3Error, S3ErrorCode};
use crate::gateway::Gateway;
use crate::service::call::Call;
use crate::service::conditions::{ReadConditions, Verdict};
use crate::service::expiration::{Described, describe_expiration};
use crate::service::object_headers::{describe, describe_checksum, from_stored};
use crate::service::range_header::parse_range;

/// An object that a GET or HEAD may return, and which bytes of it.
pub(super) struct Opened {
    pub(super) view: ObjectView,
    pub(super) bytes: Range<u64>,
    partial: bool,
    with_checksum: bool,
}

/// Looks the object of a GET or HEAD up; `extents` as in [`GetObject`].
pub(super) async fn open(call: &Call, extents: u32) -> Result<Opened, S3Error> {
    let range = call.header("range").and_then(parse_range);
    let part = part_number(call)?;
    if range.is_some() && part.is_some() {
        let message = "Cannot specify both Range header and partNumber query parameter";
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    let (bucket, key) = (call.bucket()?, call.key()?);
    let view = find(&call.gateway, bucket, key, part, range, extents).await?;
    match ReadConditions::of_request(&call.headers).evaluate(&view.version.etag, view.version.last_modified_ms) {
        Verdict::Proceed => {}
        Verdict::NotModified => {
            return Err(S3Error::new(S3ErrorCode::NotModified).with("ETag", format!("\"{}\"", view.version.etag)));
        }
        Verdict::Failed => return Err(S3ErrorCode::PreconditionFailed.into()),
    }
    let whole = 0..view.version.size;
    let bytes = match (range, view.part_bytes()) {
        (Some(range), _) => resolve(range, view.version.size)?,
        (None, Some(part)) => part,
        (None, None) => whole.clone(),
    };
    // A checksum of the whole object is no checksum of a piece of it; parts have their own.
    let wanted = call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    let with_checksum = wanted && (bytes == whole || part.is_some());
    Ok(Opened { partial: range.is_some() || part.is_some(), with_checksum, view, bytes })
}

/// Looks an object up for reading.
pub(super) async fn find(
    gateway: &Gateway,
    bucket: BucketName,
    key: ObjectKey,
    part: Option<PartNumber>,
    range: Option<ByteRange>,
    extents: u32,
) -> Result<ObjectView, S3Error> {
    let text = key.as_str().to_owned();
    let query = GetObject { bucket, key, part, range, extents };
    gateway.metadata().ask(query).await.map_err(|error| match S3Error::from(error) {
        error if error.code() == S3ErrorCode::NoSuchKey => error.with("Key", text),
        error => error,
    })
}

fn part_number(call: &Call) -> Result<Option<PartNumber>, S3Error> {
    let Some(text) = call.query.get("partNumber") else { return Ok(None) };
    let number = text.parse().ok().and_then(|n| PartNumber::new(n).ok());
    number.map(Some).ok_or_else(|| {
        S3Error::invalid_argument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
    })
}

/// The bytes that a range means, or 416 with the object's size.
pub(super) fn resolve(range: ByteRange, size: u64) -> Result<Range<u64>, S3Error> {
    range.resolve(size).map_err(|_| {
        S3Error::new(S3ErrorCode::InvalidRange)
            .with("ActualObjectSize", size.to_string())
            .with("ContentRange", format!("bytes */{size}"))
    })
}

/// Query parameters of a GET that replace response headers. Source: S3 API reference, GetObject.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
    ("response-content-language", "content-language"),
    ("response-content-type", "content-type"),
    ("response-expires", "expires"),
];

impl Opened {
    /// The response's head: 200 or 206, and everything that is known of the object.
    pub(super) async fn head(&self, call: &Call) -> Result<Builder, S3Error> {
        let mut version = self.view.version.clone();
        for (parameter, header) in OVERRIDES {
            if let Some(value) = call.query.get(parameter) {
                version.headers.retain(|h| h.name != header);
                version
                    .headers
                    .push(cairn_core::descriptor::Header { name: header.to_owned(), value: value.to_owned() });
            }
        }
        let mut response = describe(Response::builder(), &version).header("content-length", self.length());
        if let Some(parts) = self.view.parts.filter(|_| self.view.part_range.is_some()) {
            response = response.header("x-amz-mp-parts-count", parts);
        }
        if self.with_checksum {
            response = describe_checksum(response, self.checksum().as_ref());
        }
        if self.partial && self.length() > 0 {
            let (first, last, size) = (self.bytes.start, self.bytes.end - 1, version.size);
            response = response
                .status(StatusCode::PARTIAL_CONTENT)
                .header("content-range", format!("bytes {first}-{last}/{size}"));
        }
        describe_expiration(call, response, Described::of(&version, self.view.lifecycle)).await
    }

    /// Bytes in the response.
    pub(super) fn length(&self) -> u64 {
        self.bytes.end - self.bytes.start
    }

    /// The checksum of the object or, where a part was asked for, of that part. Like AWS, the part's value comes with
    /// the type of the object's.
    fn checksum(&self) -> Option<Checksum> {
        let object = self.view.version.checksum.as_ref().and_then(from_stored)?;
        if self.view.parts.is_none() || self.view.part_range.is_none() {
            return Some(object);
        }
        let part = self.view.part_checksum.as_ref().and_then(from_stored)?;
        Some(Checksum { kind: object.kind, ..part })
    }
}
