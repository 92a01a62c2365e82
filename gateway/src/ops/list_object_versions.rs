//! ListObjectVersions.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::content::ListedVersion as Found;
use cairn_protocol::metadata::query::{ListVersions, VersionPosition};

use super::listing::{is_common_prefix, listed};
use super::owner;
use crate::error::S3Error;
use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::service::version::parse_version_id;
use crate::xml::{KeyEncoding, ListVersionsResult, ListedVersion, Owner};

const VERSION_MARKER: &str = "version-id-marker";

pub(crate) async fn handle(call: Call) -> Answer {
    let text = |name: &str| call.query.get(name).unwrap_or_default();
    let encoding = KeyEncoding::parse(call.query.get("encoding-type"))?;
    let limit = call.query.page_limit("max-keys")?;
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let query = ListVersions {
        bucket: call.bucket()?,
        prefix: prefix.to_owned(),
        delimiter: delimiter.to_owned(),
        position: position(text("key-marker"), call.query.get(VERSION_MARKER), prefix, delimiter)?,
        limit,
    };
    let page = call.gateway.metadata().ask(query).await?;
    let next = page.next.as_ref();
    let result = ListVersionsResult {
        name: call.target.bucket.as_deref().unwrap_or_default(),
        prefix,
        key_marker: text("key-marker"),
        version_id_marker: text(VERSION_MARKER),
        next_key_marker: next.map(key_of),
        next_version_id_marker: next.and_then(|next| match next {
            VersionPosition::AfterVersion(_, id) => Some(*id),
            VersionPosition::Start | VersionPosition::After(_) | VersionPosition::AfterPrefix(_) => None,
        }),
        delimiter: Some(delimiter).filter(|d| !d.is_empty()),
        max_keys: limit,
        encoding,
        is_truncated: next.is_some(),
        versions: page.versions.iter().map(|version| entry(version, owner(&call.gateway))).collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    };
    respond::document(result.to_xml())
}

/// Where a listing goes on after the markers that the client sends.
fn position(key: &str, version: Option<&str>, prefix: &str, delimiter: &str) -> Result<VersionPosition, S3Error> {
    let invalid = |text: &str, message: &'static str| S3Error::invalid_argument(VERSION_MARKER, text, message);
    match (key, version) {
        ("", None) => Ok(VersionPosition::Start),
        ("", Some(text)) => Err(invalid(text, "A version-id marker cannot be specified without a key marker.")),
        (_, Some("")) => Err(invalid("", "A version-id marker cannot be empty.")),
        (key, Some(text)) => Ok(VersionPosition::AfterVersion(key.to_owned(), parse_version_id(VERSION_MARKER, text)?)),
        (key, None) if is_common_prefix(key, prefix, delimiter) => Ok(VersionPosition::AfterPrefix(key.to_owned())),
        (key, None) => Ok(VersionPosition::After(key.to_owned())),
    }
}

fn key_of(position: &VersionPosition) -> &str {
    match position {
        VersionPosition::Start => "",
        VersionPosition::After(key) | VersionPosition::AfterVersion(key, _) | VersionPosition::AfterPrefix(key) => key,
    }
}

/// A version as it stands in the document.
fn entry<'a>(version: &'a Found, owner: Owner<'a>) -> ListedVersion<'a> {
    ListedVersion {
        object: listed(&version.object, Some(owner)),
        id: version.id,
        is_latest: version.is_latest,
        is_marker: version.is_marker,
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::version::VersionId;

    use super::*;

    #[test]
    fn markers_name_a_place() {
        let version = |id| VersionPosition::AfterVersion("a/".to_owned(), id);
        for (key, id, delimiter, expected) in [
            ("", None, "/", VersionPosition::Start),
            ("a", None, "/", VersionPosition::After("a".to_owned())),
            ("a/", None, "/", VersionPosition::AfterPrefix("a/".to_owned())),
            ("a/", None, "", VersionPosition::After("a/".to_owned())),
            ("a/", Some("null"), "", version(VersionId::Null)),
            ("a/", Some("000000000000002a"), "/", version(VersionId::Commit(CommitSequence(42)))),
        ] {
            assert_eq!(position(key, id, "", delimiter), Ok(expected), "{key:?} {id:?}");
        }
    }

    #[test]
    fn a_version_without_a_key_is_no_place() {
        for (key, id, message) in [
            ("", "null", "A version-id marker cannot be specified without a key marker."),
            ("a", "", "A version-id marker cannot be empty."),
            ("a", "7", "Invalid version id specified"),
        ] {
            let error = position(key, Some(id), "", "").unwrap_err();
            assert_eq!((error.message(), error.detail("ArgumentName")), (message, Some(VERSION_MARKER)), "{id:?}");
            assert_eq!(error.detail("ArgumentValue"), Some(id));
        }
    }
}
