//! Version ids in requests.

use cairn_core::version::VersionId;

use super::query::Query;
use crate::error::S3Error;

/// The version that a request names, if it names one.
pub(super) fn requested_version(query: &Query) -> Result<Option<VersionId>, S3Error> {
    query.get("versionId").map(|text| parse_version_id("versionId", text)).transpose()
}

/// Parses a version id, which the request has in the argument `name`.
pub(crate) fn parse_version_id(name: &str, text: &str) -> Result<VersionId, S3Error> {
    if text.is_empty() {
        return Err(S3Error::invalid_argument(name, text, "Version id cannot be the empty string"));
    }
    VersionId::parse(text).ok_or_else(|| S3Error::invalid_argument(name, text, "Invalid version id specified"))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;

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
}
