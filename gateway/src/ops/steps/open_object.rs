//! Opens an object for GET and HEAD: finds it, evaluates the request's conditions, and resolves its range.

use std::ops::Range;

use cairn_core::descriptor::Header;
use cairn_core::range::ByteRange;
use cairn_protocol::metadata::ObjectVersion;
use cairn_protocol::metadata::query::ObjectView;
use http::response::Builder;
use http::{Response, StatusCode};

use super::find_object::find_requested;
use crate::body::Checksum;
use crate::client_ids::ClientIds;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::conditions::{ReadConditions, Verdict, wants_range_of};
use crate::request::read_call::ReadCall;
use crate::response::expiration::{Described, describe_expiration};
use crate::response::object::{describe, describe_checksum};
use crate::response::version::VERSION_ID;

/// An object that a GET or HEAD may return, and which bytes of it.
pub(in crate::ops) struct Opened {
    pub(in crate::ops) view: ObjectView,
    pub(in crate::ops) bytes: Range<u64>,
    partial: bool,
    with_checksum: bool,
}

/// Opens the object of a GET or HEAD, with the locations of its first `extents`.
pub(in crate::ops) async fn open(call: &ReadCall, extents: u32) -> Result<Opened, S3Error> {
    let &ReadCall { ref of, mut range, part } = call;
    let mut view = find_requested(of, part, range, extents).await?;
    if range.is_some() && !wants_range_of(&of.request.headers, &view.version.etag, view.version.last_modified_ms) {
        range = None;
        view = find_requested(of, part, None, extents).await?;
    }
    match ReadConditions::of_request(&of.request.headers).evaluate(&view.version.etag, view.version.last_modified_ms) {
        Verdict::Proceed => {}
        Verdict::NotModified => return Err(not_modified(of.context.ids()?, &view.version)),
        Verdict::Failed => return Err(S3ErrorCode::PreconditionFailed.into()),
    }
    let whole = 0..view.version.size;
    let bytes = match (range, view.part_bytes()) {
        (Some(range), _) => resolve(range, view.version.size)?,
        (None, Some(part)) => part,
        (None, None) => whole.clone(),
    };
    // The checksum of the whole object does not fit a piece of it. Parts have their own.
    let wanted = of.request.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    let with_checksum = wanted && (bytes == whole || part.is_some());
    Ok(Opened { partial: range.is_some() || part.is_some(), with_checksum, view, bytes })
}

fn not_modified(ids: &ClientIds, version: &ObjectVersion) -> S3Error {
    let error = S3Error::new(S3ErrorCode::NotModified).with_header("etag", format!("\"{}\"", version.etag));
    match version.id {
        Some(id) => error.with_header(VERSION_ID, ids.version(id)),
        None => error,
    }
}

/// The bytes that a range means, or 416 with the object's size.
pub(in crate::ops) fn resolve(range: ByteRange, size: u64) -> Result<Range<u64>, S3Error> {
    range.resolve(size).map_err(|_| {
        S3Error::new(S3ErrorCode::InvalidRange)
            .with("ActualObjectSize", size.to_string())
            .with_header("content-range", format!("bytes */{size}"))
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
    pub(in crate::ops) async fn head(&self, call: &ReadCall) -> Result<Builder, S3Error> {
        let of = &call.of;
        let mut version = self.view.version.clone();
        for (parameter, header) in OVERRIDES {
            if let Some(value) = of.request.query.get(parameter) {
                version.headers.retain(|h| h.name != header);
                version.headers.push(Header { name: header.to_owned(), value: value.to_owned() });
            }
        }
        let mut response =
            describe(Response::builder(), of.context.ids()?, &version).header("content-length", self.length());
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
        if of.version.is_some() {
            // The header is about current versions.
            return Ok(response);
        }
        let described = Described::of(&version, self.view.lifecycle);
        Ok(describe_expiration(&of.context, &of.object, response, described).await)
    }

    /// Bytes in the response's body.
    pub(in crate::ops) fn length(&self) -> u64 {
        self.bytes.end - self.bytes.start
    }

    /// The checksum of the object or, if a part was asked for, of that part. Like AWS, the part's value comes with the
    /// type of the object's.
    fn checksum(&self) -> Option<Checksum> {
        let object = self.view.version.checksum.as_ref().and_then(Checksum::from_stored)?;
        if self.view.parts.is_none() || self.view.part_range.is_none() {
            return Some(object);
        }
        let part = self.view.part_checksum.as_ref().and_then(Checksum::from_stored)?;
        Some(Checksum { kind: object.kind, ..part })
    }
}
