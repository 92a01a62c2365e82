//! UploadPartCopy.

use axum::body::Body;
use cairn_core::descriptor::PartOf;
use cairn_core::range::ByteRange;
use http::Response;
use http::header::CONTENT_TYPE;

use super::upload_part::{commit_part, find_upload, part_number};
use super::{copy_source, open_object};
use crate::body::ChecksumAlgorithm;
use crate::data::CopySource;
use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call};
use crate::service::ingest::{Purpose, ingest_copy};
use crate::service::range_header::parse_range;
use crate::service::respond;
use crate::service::version::{COPY_SOURCE_VERSION_ID, describe_version};
use crate::xml::copy_part_result;

pub(crate) async fn handle(call: Call) -> Answer {
    let part = PartOf { upload: call.upload_id()?, number: part_number(&call)? };
    let (bucket, key) = (call.bucket()?, call.key()?);
    let source = copy_source::parse(call.header("x-amz-copy-source").unwrap_or_default())?;
    let range = copy_range(&call)?;
    let upload = find_upload(&call).await?;
    let mut view = copy_source::open(&call, &source, range).await?;
    let bytes = match range {
        Some(range) => exact(range, view.version.size)?,
        None => 0..view.version.size,
    };
    let size = bytes.end - bytes.start;
    let located = std::mem::take(&mut view.located);
    let reader = match size {
        0 => None,
        _ => Some(call.gateway.data().read(view.version.content, bytes, located).await?),
    };
    let announced = upload.checksum_algorithm.as_deref().and_then(ChecksumAlgorithm::parse);
    let purpose = Purpose::of_part(&bucket, &key, part, &upload);
    let body = ingest_copy(&call.gateway, &mut CopySource::new(reader), size, purpose, announced).await?;
    let (etag, checksum) = (body.etag, body.checksum.clone());
    let last_modified_ms = commit_part(&call, part, body).await?;
    let response = Response::builder().header(CONTENT_TYPE, respond::XML);
    let response = describe_version(response, COPY_SOURCE_VERSION_ID, view.version.id);
    respond::finish(response, Body::from(copy_part_result(etag, last_modified_ms, checksum.as_ref())))
}

/// `x-amz-copy-source-range`, which unlike `Range` must be of the form `bytes=first-last`.
fn copy_range(call: &Call) -> Result<Option<ByteRange>, S3Error> {
    let Some(text) = call.header("x-amz-copy-source-range") else { return Ok(None) };
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
fn exact(range: ByteRange, size: u64) -> Result<std::ops::Range<u64>, S3Error> {
    match range {
        ByteRange::FromTo(_, last) if last >= size => {
            let message = format!("Range specified is not valid for source object of size: {size}");
            Err(S3Error::with_message(S3ErrorCode::InvalidRange, message).with("ActualObjectSize", size.to_string()))
        }
        range => open_object::resolve(range, size),
    }
}
