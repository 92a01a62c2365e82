//! The source of CopyObject and UploadPartCopy.

use std::ops::Range;

use cairn_core::range::ByteRange;
use cairn_core::version::VersionId;
use cairn_protocol::metadata::query::{GetObject, ObjectView};
use percent_encoding::percent_decode_str;

use super::find_object::find;
use crate::client_ids::ClientIds;
use crate::context::Context;
use crate::data::{CopySource, LOCATE_EXTENTS};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::conditions::{ReadConditions, Verdict};
use crate::request::incoming::Incoming;
use crate::request::name::{ObjectName, bucket_name, object_key};
use crate::request::version::parse_version_id;

/// Where a copy comes from.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ops) struct Source {
    pub(in crate::ops) object: ObjectName,
    pub(in crate::ops) version: Option<VersionId>,
}

/// Parses `x-amz-copy-source`: `[/]bucket/key[?versionId=…]`, percent-encoded.
pub(in crate::ops) fn parse(ids: &ClientIds, request: &Incoming) -> Result<Source, S3Error> {
    // Some clients do not encode what is not ASCII.
    let header = request.headers.get("x-amz-copy-source").map(http::HeaderValue::as_bytes).unwrap_or_default();
    let not_text = |_| S3Error::invalid_argument("x-amz-copy-source", "", "The copy source is not UTF-8");
    parse_header(ids, std::str::from_utf8(header).map_err(not_text)?)
}

fn parse_header(ids: &ClientIds, header: &str) -> Result<Source, S3Error> {
    let invalid = |message: &'static str| S3Error::invalid_argument("x-amz-copy-source", header, message);
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (header, None),
    };
    let path = percent_decode_str(path).decode_utf8().map_err(|_| invalid("The copy source is not UTF-8"))?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) = path
        .split_once('/')
        .ok_or_else(|| invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey"))?;
    let version = version.map(|text| parse_version_id(ids, "versionId", text)).transpose()?;
    Ok(Source { object: ObjectName { bucket: bucket_name(bucket)?, key: object_key(key)? }, version })
}

/// Looks up the source and evaluates the `x-amz-copy-source-if-…` conditions.
pub(in crate::ops) async fn open(
    context: &Context,
    request: &Incoming,
    source: &Source,
    range: Option<ByteRange>,
) -> Result<ObjectView, S3Error> {
    let ObjectName { bucket, key } = source.object.clone();
    let version = source.version;
    let query = GetObject { bucket, key, part: None, range, extents: LOCATE_EXTENTS, version };
    let view = find(context, query, |_| absent(version.is_some())).await?;
    let conditions = ReadConditions::of_copy_source(&request.headers);
    match conditions.evaluate(&view.version.etag, view.version.last_modified_ms) {
        Verdict::Proceed => Ok(view),
        // A copy has no 304: both kinds of failure are 412.
        Verdict::NotModified | Verdict::Failed => Err(S3ErrorCode::PreconditionFailed.into()),
    }
}

/// Reads bytes of a source that was opened.
pub(in crate::ops) async fn read(
    context: &Context,
    view: &mut ObjectView,
    bytes: Range<u64>,
) -> Result<CopySource, S3Error> {
    let located = std::mem::take(&mut view.located);
    if bytes.is_empty() {
        return Ok(CopySource::empty());
    }
    Ok(context.data().copy_source(view.version.content, bytes, located).await?)
}

/// The error for a source that does not exist. If its version was named, that version is a delete marker.
fn absent(is_named: bool) -> S3Error {
    if is_named {
        let message = "The source of a copy request may not specifically refer to a delete marker by version id.";
        return S3Error::with_message(S3ErrorCode::InvalidRequest, message);
    }
    S3ErrorCode::NoSuchKey.into()
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::name::{BucketName, ObjectKey};

    use super::*;

    #[test]
    fn a_source_has_a_bucket_a_key_and_perhaps_a_version() {
        let (ids, id) = (ClientIds::of_tests(), VersionId::Commit(CommitSequence(42)));
        let named = format!("/bucket/key?versionId={}", ids.version(id));
        for (header, key, version) in [
            ("bucket/key", "key", None),
            ("/bucket/a%20b/c%2Bd", "a b/c+d", None),
            ("bucket/key?versionId=null", "key", Some(VersionId::Null)),
            (named.as_str(), "key", Some(id)),
            ("bucket/what%3FversionId=null", "what?versionId=null", None),
        ] {
            let bucket = BucketName::new("bucket").unwrap();
            let object = ObjectName { bucket, key: ObjectKey::new(key).unwrap() };
            let expected = Source { object, version };
            assert_eq!(parse_header(&ids, header), Ok(expected), "{header}");
        }
        for header in ["bucket", "", "bucket/%ff", "bucket/key?versionId=", "bucket/key?versionId=abc"] {
            assert_eq!(parse_header(&ids, header).unwrap_err().code(), S3ErrorCode::InvalidArgument, "{header:?}");
        }
    }
}
