//! Versions of objects in requests and answers.

use cairn_core::version::VersionId;
use http::response::Builder;

use crate::error::S3Error;

/// The header that says which version an answer is about.
pub(crate) const VERSION_ID: &str = "x-amz-version-id";
/// The header that says which version was copied.
pub(crate) const COPY_SOURCE_VERSION_ID: &str = "x-amz-copy-source-version-id";
/// The header that says whether an answer is about a delete marker.
pub(crate) const DELETE_MARKER: &str = "x-amz-delete-marker";

/// Reads the id of a version, which the request has in the argument `name`.
pub(crate) fn parse_version_id(name: &str, text: &str) -> Result<VersionId, S3Error> {
    if text.is_empty() {
        return Err(S3Error::invalid_argument(name, text, "Version id cannot be the empty string"));
    }
    VersionId::parse(text).ok_or_else(|| S3Error::invalid_argument(name, text, "Invalid version id specified"))
}

/// Adds the id of a version, under the header `name`, if its bucket knows versions.
pub(crate) fn describe_version(response: Builder, name: &str, version: Option<VersionId>) -> Builder {
    match version {
        Some(id) => response.header(name, id.to_string()),
        None => response,
    }
}

/// Adds the id of a version that the request has made. That it is the null version is not told: ceph/s3-tests,
/// `test_versioning_bucket_atomic_upload_return_version_id`.
pub(crate) fn describe_made(response: Builder, version: Option<VersionId>) -> Builder {
    describe_version(response, VERSION_ID, version.filter(|id| *id != VersionId::Null))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use http::Response;

    use super::*;
    use crate::error::S3ErrorCode;

    #[test]
    fn an_id_is_read_or_refused() {
        assert_eq!(parse_version_id("versionId", "null"), Ok(VersionId::Null));
        let id = parse_version_id("versionId", "000000000000002a");
        assert_eq!(id, Ok(VersionId::Commit(CommitSequence(42))));
        for (text, message) in [("", "Version id cannot be the empty string"), ("abc", "Invalid version id specified")]
        {
            let error = parse_version_id("versionId", text).unwrap_err();
            assert_eq!((error.code(), error.message()), (S3ErrorCode::InvalidArgument, message), "{text:?}");
            assert_eq!((error.detail("ArgumentName"), error.detail("ArgumentValue")), (Some("versionId"), Some(text)));
        }
    }

    #[test]
    fn what_is_made_without_an_id_is_not_named() {
        let id = VersionId::Commit(CommitSequence(42));
        for (version, made, read) in [
            (None, None, None),
            (Some(VersionId::Null), None, Some("null")),
            (Some(id), Some("000000000000002a"), Some("000000000000002a")),
        ] {
            let shown = |response: Builder| {
                let response = response.body(()).unwrap();
                response.headers().get(VERSION_ID).map(|value| value.to_str().unwrap().to_owned())
            };
            assert_eq!(shown(describe_made(Response::builder(), version)).as_deref(), made);
            assert_eq!(shown(describe_version(Response::builder(), VERSION_ID, version)).as_deref(), read);
        }
    }
}
