//! Versions of objects in responses.

use cairn_core::version::VersionId;
use http::response::Builder;

use crate::client_ids::ClientIds;

pub(crate) const VERSION_ID: &str = "x-amz-version-id";
pub(crate) const COPY_SOURCE_VERSION_ID: &str = "x-amz-copy-source-version-id";
pub(crate) const DELETE_MARKER: &str = "x-amz-delete-marker";

/// Adds the id of a version under the header `name`. `None` adds nothing: the bucket is not versioned.
pub(crate) fn describe_version(response: Builder, ids: &ClientIds, name: &str, version: Option<VersionId>) -> Builder {
    match version {
        Some(id) => response.header(name, ids.version(id)),
        None => response,
    }
}

/// Adds the id of the version that the request has created. The null version is not named: ceph/s3-tests,
/// `test_versioning_bucket_atomic_upload_return_version_id`.
pub(crate) fn describe_created(response: Builder, ids: &ClientIds, version: Option<VersionId>) -> Builder {
    describe_version(response, ids, VERSION_ID, version.filter(|id| *id != VersionId::Null))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use http::Response;

    use super::*;

    #[test]
    fn a_created_null_version_is_not_named() {
        let (ids, id) = (ClientIds::of_tests(), VersionId::Commit(CommitSequence(42)));
        let text = ids.version(id);
        for (version, created, read) in [
            (None, None, None),
            (Some(VersionId::Null), None, Some("null")),
            (Some(id), Some(text.as_str()), Some(text.as_str())),
        ] {
            let shown = |response: Builder| {
                let response = response.body(()).unwrap();
                response.headers().get(VERSION_ID).map(|value| value.to_str().unwrap().to_owned())
            };
            assert_eq!(shown(describe_created(Response::builder(), &ids, version)).as_deref(), created);
            assert_eq!(shown(describe_version(Response::builder(), &ids, VERSION_ID, version)).as_deref(), read);
        }
    }
}
