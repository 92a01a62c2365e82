//! The source of CopyObject and UploadPartCopy.

use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::range::ByteRange;
use cairn_protocol::metadata::query::ObjectView;
use percent_encoding::percent_decode_str;

use super::open_object::find;
use crate::data::LOCATE_EXTENTS;
use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::Call;
use crate::service::conditions::{ReadConditions, Verdict};
use crate::service::target;

/// Where a copy comes from.
pub(super) struct Source {
    pub(super) bucket: BucketName,
    pub(super) key: ObjectKey,
}

/// Reads `x-amz-copy-source`: `[/]bucket/key[?versionId=…]`, percent-encoded.
pub(super) fn parse(header: &str) -> Result<Source, S3Error> {
    let invalid = |message: &'static str| S3Error::invalid_argument("x-amz-copy-source", header, message);
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (header, None),
    };
    if version.is_some_and(|v| v != "null") {
        return Err(S3ErrorCode::NoSuchVersion.into());
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| invalid("The copy source is not UTF-8"))?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path
        .split_once('/')
        .ok_or_else(|| invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey"))?;
    Ok(Source { bucket: target::bucket_name(bucket)?, key: target::object_key(key)? })
}

/// Looks the source up and evaluates the `x-amz-copy-source-if-…` conditions.
pub(super) async fn open(call: &Call, source: &Source, range: Option<ByteRange>) -> Result<ObjectView, S3Error> {
    let view = find(&call.gateway, source.bucket.clone(), source.key.clone(), None, range, LOCATE_EXTENTS).await?;
    let conditions = ReadConditions::of_copy_source(&call.headers);
    match conditions.evaluate(&view.version.etag, view.version.last_modified_ms) {
        Verdict::Proceed => Ok(view),
        // A copy has no 304: both kinds of failure are 412.
        Verdict::NotModified | Verdict::Failed => Err(S3ErrorCode::PreconditionFailed.into()),
    }
}
