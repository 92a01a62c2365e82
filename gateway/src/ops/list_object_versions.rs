//! ListObjectVersions.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::content::ListedVersion as Found;
use cairn_protocol::metadata::query::{ListVersions, VersionPosition};

use super::steps::listing::{is_common_prefix, listed};
use crate::client_ids::ClientIds;
use crate::error::S3Error;
use crate::request::list_call::{ListCall, Listing};
use crate::request::version::parse_version_id;
use crate::response::owner::owner;
use crate::response::respond::{self, Answer};
use crate::xml::{ListVersionsResult, ListedVersion, Owner};

const VERSION_MARKER: &str = "version-id-marker";

pub(crate) async fn handle(call: ListCall) -> Answer {
    let (listing, query) = (&call.listing, &call.request.query);
    let ids = call.context.ids()?;
    let position = position(ids, query.text("key-marker"), query.get(VERSION_MARKER), listing)?;
    let Listing { encoding, limit, prefix, delimiter } = listing.clone();
    let versions = ListVersions { bucket: call.bucket.clone(), prefix, delimiter, position, limit };
    let page = call.context.metadata().ask(versions).await?;
    let next = page.next.as_ref();
    let result = ListVersionsResult {
        name: call.bucket.as_str(),
        prefix: &listing.prefix,
        key_marker: query.text("key-marker"),
        version_id_marker: query.text(VERSION_MARKER),
        next_key_marker: next.map(key_of),
        next_version_id_marker: next.and_then(|next| match next {
            VersionPosition::AfterVersion(_, id) => Some(ids.version(*id)),
            VersionPosition::Start | VersionPosition::After(_) | VersionPosition::AfterPrefix(_) => None,
        }),
        delimiter: listing.shown_delimiter(),
        max_keys: limit,
        encoding,
        is_truncated: next.is_some(),
        versions: page.versions.iter().map(|version| entry(ids, version, owner(&call.context))).collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    };
    respond::document(result.to_xml())
}

/// Where a listing continues after the markers that the client sends.
fn position(ids: &ClientIds, key: &str, version: Option<&str>, listing: &Listing) -> Result<VersionPosition, S3Error> {
    let invalid = |text: &str, message: &'static str| S3Error::invalid_argument(VERSION_MARKER, text, message);
    match (key, version) {
        ("", None) => Ok(VersionPosition::Start),
        ("", Some(text)) => Err(invalid(text, "A version-id marker cannot be specified without a key marker.")),
        (_, Some("")) => Err(invalid("", "A version-id marker cannot be empty.")),
        (key, Some(text)) => {
            Ok(VersionPosition::AfterVersion(key.to_owned(), parse_version_id(ids, VERSION_MARKER, text)?))
        }
        (key, None) if is_common_prefix(key, listing) => Ok(VersionPosition::AfterPrefix(key.to_owned())),
        (key, None) => Ok(VersionPosition::After(key.to_owned())),
    }
}

fn key_of(position: &VersionPosition) -> &str {
    match position {
        VersionPosition::Start => "",
        VersionPosition::After(key) | VersionPosition::AfterVersion(key, _) | VersionPosition::AfterPrefix(key) => key,
    }
}

/// A version as the document shows it.
fn entry<'a>(ids: &ClientIds, version: &'a Found, owner: Owner<'a>) -> ListedVersion<'a> {
    ListedVersion {
        object: listed(&version.object, Some(owner)),
        id: ids.version(version.id),
        is_latest: version.is_latest,
        is_marker: version.is_marker,
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::version::VersionId;

    use super::*;
    use crate::xml::KeyEncoding;

    fn listing(delimiter: &str) -> Listing {
        let (prefix, delimiter) = (String::new(), delimiter.to_owned());
        Listing { encoding: KeyEncoding::Raw, limit: 1, prefix, delimiter }
    }

    #[test]
    fn markers_name_a_position() {
        let (ids, id) = (ClientIds::of_tests(), VersionId::Commit(CommitSequence(42)));
        let text = ids.version(id);
        let version = |id| VersionPosition::AfterVersion("a/".to_owned(), id);
        for (key, id, delimiter, expected) in [
            ("", None, "/", VersionPosition::Start),
            ("a", None, "/", VersionPosition::After("a".to_owned())),
            ("a/", None, "/", VersionPosition::AfterPrefix("a/".to_owned())),
            ("a/", None, "", VersionPosition::After("a/".to_owned())),
            ("a/", Some("null"), "", version(VersionId::Null)),
            ("a/", Some(text.as_str()), "/", version(id)),
        ] {
            assert_eq!(position(&ids, key, id, &listing(delimiter)), Ok(expected), "{key:?} {id:?}");
        }
    }

    #[test]
    fn an_invalid_version_marker_is_refused() {
        for (key, id, message) in [
            ("", "null", "A version-id marker cannot be specified without a key marker."),
            ("a", "", "A version-id marker cannot be empty."),
            ("a", "7", "Invalid version id specified"),
        ] {
            let error = position(&ClientIds::of_tests(), key, Some(id), &listing("")).unwrap_err();
            assert_eq!((error.message(), error.detail("ArgumentName")), (message, Some(VERSION_MARKER)), "{id:?}");
            assert_eq!(error.detail("ArgumentValue"), Some(id));
        }
    }
}
