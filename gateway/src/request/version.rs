//! Version ids in requests.

use cairn_core::version::VersionId;

use super::query::Query;
use crate::client_ids::ClientIds;
use crate::context::Context;
use crate::error::{S3Error, S3ErrorCode};

/// The version that a request names, if it names one.
pub(super) fn requested_version(context: &Context, query: &Query) -> Result<Option<VersionId>, S3Error> {
    query.get("versionId").map(|text| parse_version_id(context.ids()?, "versionId", text)).transpose()
}

/// Parses a version id, which the request has in the argument `name`.
pub(crate) fn parse_version_id(ids: &ClientIds, name: &str, text: &str) -> Result<VersionId, S3Error> {
    if text.is_empty() {
        return Err(S3Error::invalid_argument(name, text, "Version id cannot be the empty string"));
    }
    ids.parse_version(text).ok_or_else(|| {
        if ClientIds::is_well_formed(text) {
            // As for an id that was given out and whose version is gone.
            S3Error::new(S3ErrorCode::NoSuchVersion).with("VersionId", text)
        } else {
            S3Error::invalid_argument(name, text, "Invalid version id specified")
        }
    })
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;

    use super::*;

    #[test]
    fn an_id_is_read_or_refused() {
        let ids = ClientIds::of_tests();
        let id = VersionId::Commit(CommitSequence(42));
        for id in [VersionId::Null, id] {
            assert_eq!(parse_version_id(&ids, "versionId", &ids.version(id)), Ok(id));
        }
        for (text, message) in [("", "Version id cannot be the empty string"), ("abc", "Invalid version id specified")]
        {
            let error = parse_version_id(&ids, "versionId", text).unwrap_err();
            assert_eq!((error.code(), error.message()), (S3ErrorCode::InvalidArgument, message), "{text:?}");
            assert_eq!((error.detail("ArgumentName"), error.detail("ArgumentValue")), (Some("versionId"), Some(text)));
        }
        let foreign = "f".repeat(32);
        let error = parse_version_id(&ids, "versionId", &foreign).unwrap_err();
        assert_eq!((error.code(), error.detail("VersionId")), (S3ErrorCode::NoSuchVersion, Some(foreign.as_str())));
    }
}
