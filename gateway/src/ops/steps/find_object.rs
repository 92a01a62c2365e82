//! Looks up objects for reading.

use cairn_core::id::PartNumber;
use cairn_core::range::ByteRange;
use cairn_core::version::VersionId;
use cairn_protocol::metadata::query::{GetObject, ObjectView};
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};

use crate::client_ids::ClientIds;
use crate::context::Context;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::VersionCall;
use crate::request::name::ObjectName;
use crate::response::version::{DELETE_MARKER, VERSION_ID};

/// Looks up the object that the request asks for; `extents` as in [`GetObject`].
pub(in crate::ops) async fn find_requested(
    call: &VersionCall,
    part: Option<PartNumber>,
    range: Option<ByteRange>,
    extents: u32,
) -> Result<ObjectView, S3Error> {
    let ObjectName { bucket, key } = call.object.clone();
    let query = GetObject { bucket, key, part, range, extents, version: call.version };
    let ids = call.context.ids()?;
    find(&call.context, query, |marker| absent(ids, marker, call.version.is_some())).await
}

/// Looks up an object for reading. If there is none, `absent` makes the error from the delete marker in its place, if
/// there is one.
pub(in crate::ops) async fn find(
    context: &Context,
    query: GetObject,
    absent: impl FnOnce(Option<VersionId>) -> S3Error,
) -> Result<ObjectView, S3Error> {
    let (bucket, key, version) = (query.bucket.clone(), query.key.clone(), query.version);
    let ids = context.ids()?;
    let asked = context.buckets().now();
    let found = context.metadata().ask(query).await;
    if let Ok(view) = &found {
        context.buckets().saw(&bucket, view.revision, asked);
    }
    found.map_err(|error| match (error, version) {
        (MetadataError::Rejected(Rejection::NoSuchKey), _) => absent(None).with("Key", key.as_str()),
        (MetadataError::Rejected(Rejection::DeleteMarker(id)), _) => absent(Some(id)).with("Key", key.as_str()),
        (MetadataError::Rejected(Rejection::NoSuchVersion), Some(version)) => {
            let error = S3Error::new(S3ErrorCode::NoSuchVersion);
            error.with("Key", key.as_str()).with("VersionId", ids.version(version))
        }
        (error, _) => error.into(),
    })
}

/// The error for an object that does not exist. Source: S3 user guide, "Working with delete markers"; that a key
/// without any version answers `false` is required by ceph/s3-tests (`test_delete_marker_nonversioned`).
fn absent(ids: &ClientIds, marker: Option<VersionId>, is_named: bool) -> S3Error {
    let Some(id) = marker else { return S3Error::new(S3ErrorCode::NoSuchKey).with_header(DELETE_MARKER, "false") };
    let error = if is_named {
        let error = S3Error::new(S3ErrorCode::MethodNotAllowed).with("Method", "GET");
        error.with("ResourceType", "DeleteMarker").with_header("allow", "DELETE")
    } else {
        S3ErrorCode::NoSuchKey.into()
    };
    error.with_header(DELETE_MARKER, "true").with_header(VERSION_ID, ids.version(id))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;

    use super::*;

    #[test]
    fn a_delete_marker_is_reported_in_headers() {
        let (ids, id) = (ClientIds::of_tests(), VersionId::Commit(CommitSequence(42)));
        let text = ids.version(id);
        for (marker, is_named, code, headers) in [
            (None, false, S3ErrorCode::NoSuchKey, vec![("x-amz-delete-marker", "false")]),
            (
                Some(id),
                false,
                S3ErrorCode::NoSuchKey,
                vec![("x-amz-delete-marker", "true"), ("x-amz-version-id", text.as_str())],
            ),
            (
                Some(VersionId::Null),
                true,
                S3ErrorCode::MethodNotAllowed,
                vec![("allow", "DELETE"), ("x-amz-delete-marker", "true"), ("x-amz-version-id", "null")],
            ),
        ] {
            let error = absent(&ids, marker, is_named);
            let reported: Vec<_> = error.headers().iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!((error.code(), reported), (code, headers));
        }
    }
}
