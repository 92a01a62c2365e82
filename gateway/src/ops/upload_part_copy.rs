//! UploadPartCopy.

use std::ops::Range;

use axum::body::Body;
use cairn_core::range::ByteRange;
use http::Response;
use http::header::CONTENT_TYPE;

use super::steps::commit_part::{commit_part, find_upload};
use super::steps::{copy_source, open_object};
use crate::body::ChecksumAlgorithm;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::incoming::Incoming;
use crate::request::ingest::{Purpose, ingest_copy};
use crate::request::range::parse_range;
use crate::request::upload_call::PartCall;
use crate::response::respond::{self, Answer};
use crate::response::version::{COPY_SOURCE_VERSION_ID, describe_version};
use crate::xml::copy_part_result;

pub(crate) async fn handle(call: PartCall) -> Answer {
    let PartCall { context, object, part, request } = &call;
    let source = copy_source::parse(context.ids()?, request)?;
    let range = copy_range(request)?;
    let upload = find_upload(&call).await?;
    let mut view = copy_source::open(context, request, &source, range).await?;
    let bytes = match range {
        Some(range) => exact(range, view.version.size)?,
        None => 0..view.version.size,
    };
    let size = bytes.end - bytes.start;
    let mut bytes = copy_source::read(context, &mut view, bytes).await?;
    let announced = upload.checksum_algorithm.as_deref().and_then(ChecksumAlgorithm::parse);
    let purpose = Purpose::of_part(object, *part, &upload);
    let body = ingest_copy(context, &mut bytes, size, purpose, announced).await?;
    let (etag, checksum) = (body.etag, body.checksum.clone());
    let last_modified_ms = commit_part(&call, body).await?;
    let response = Response::builder().header(CONTENT_TYPE, respond::XML);
    let response = describe_version(response, context.ids()?, COPY_SOURCE_VERSION_ID, view.version.id);
    respond::finish(response, Body::from(copy_part_result(etag, last_modified_ms, checksum.as_ref())))
}

/// `x-amz-copy-source-range`, which unlike `Range` must be of the form `bytes=first-last`.
fn copy_range(request: &Incoming) -> Result<Option<ByteRange>, S3Error> {
    let Some(text) = request.header("x-amz-copy-source-range") else { return Ok(None) };
    match parse_range(text) {
        Some(range @ ByteRange::FromTo(..)) => Ok(Some(range)),
        _ => Err(S3Error::invalid_argument(
            "x-amz-copy-source-range",
            text,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
        )),
    }
}

/// The bytes of the range, all of which must exist.
fn exact(range: ByteRange, size: u64) -> Result<Range<u64>, S3Error> {
    match range {
        ByteRange::FromTo(_, last) if last >= size => {
            let message = format!("Range specified is not valid for source object of size: {size}");
            Err(S3Error::with_message(S3ErrorCode::InvalidRange, message).with("ActualObjectSize", size.to_string()))
        }
        range => open_object::resolve(range, size),
    }
}
