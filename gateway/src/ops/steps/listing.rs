//! What the listings of objects and of versions share.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::content::ListedObject as Found;
use cairn_protocol::metadata::query::{ListObjects, ListPosition, ObjectPage};

use crate::body::Checksum;
use crate::error::S3Error;
use crate::request::list_call::{ListCall, Listing};
use crate::xml::{ListedChecksum, ListedObject, ListedPage, Owner};

pub(in crate::ops) async fn fetch(call: &ListCall, position: ListPosition) -> Result<ObjectPage, S3Error> {
    let Listing { limit, prefix, delimiter, .. } = call.listing.clone();
    let query = ListObjects { bucket: call.bucket.clone(), prefix, delimiter, position, limit };
    let mut page = call.context.metadata().ask(query).await?;
    if limit == 0 {
        // Source: S3 API reference: a listing limited to zero keys is complete.
        page.next = None;
    }
    Ok(page)
}

/// The part of the document that both versions of ListObjects have in common.
pub(in crate::ops) fn document_page<'a>(
    call: &'a ListCall,
    page: &'a ObjectPage,
    owner: Option<Owner<'a>>,
) -> ListedPage<'a> {
    ListedPage {
        name: call.bucket.as_str(),
        prefix: &call.listing.prefix,
        delimiter: call.listing.shown_delimiter(),
        max_keys: call.listing.limit,
        encoding: call.listing.encoding,
        is_truncated: page.next.is_some(),
        objects: page.objects.iter().map(|o| listed(o, owner)).collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    }
}

/// Where a listing continues after a key that the client names. If that key is a common prefix, as `NextMarker` may be,
/// everything under it has been listed.
pub(in crate::ops) fn position_after(key: &str, listing: &Listing) -> ListPosition {
    if key.is_empty() {
        return ListPosition::Start;
    }
    let is_common_prefix = is_common_prefix(key, listing);
    if is_common_prefix { ListPosition::AfterPrefix(key.to_owned()) } else { ListPosition::After(key.to_owned()) }
}

/// Whether the listing shows `key` as a common prefix, so that it cannot be a key in it.
pub(in crate::ops) fn is_common_prefix(key: &str, listing: &Listing) -> bool {
    let (prefix, delimiter) = (listing.prefix.as_str(), listing.delimiter.as_str());
    let first_is_last = |rest: &str| rest.find(delimiter).is_some_and(|at| at + delimiter.len() == rest.len());
    !delimiter.is_empty() && key.strip_prefix(prefix).is_some_and(first_is_last)
}

/// A continuation token: opaque to clients.
pub(in crate::ops) fn encode_token(position: &ListPosition) -> String {
    let text = match position {
        ListPosition::Start => String::new(),
        ListPosition::After(key) => format!("k{key}"),
        ListPosition::AfterPrefix(prefix) => format!("p{prefix}"),
    };
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// The inverse of [`encode_token`].
pub(in crate::ops) fn decode_token(token: &str) -> Result<ListPosition, S3Error> {
    let invalid =
        || S3Error::invalid_argument("continuation-token", token, "The continuation token provided is incorrect");
    let text = BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(invalid)?;
    match text.split_at_checked(1) {
        Some(("k", key)) => Ok(ListPosition::After(key.to_owned())),
        Some(("p", prefix)) => Ok(ListPosition::AfterPrefix(prefix.to_owned())),
        _ => Err(invalid()),
    }
}

/// An object as the document shows it.
pub(in crate::ops) fn listed<'a>(object: &'a Found, owner: Option<Owner<'a>>) -> ListedObject<'a> {
    let checksum = object.checksum.as_ref().and_then(Checksum::from_stored);
    ListedObject {
        key: object.key.as_str(),
        last_modified_ms: object.last_modified_ms,
        etag: object.etag,
        size: object.size,
        storage_class: object.storage_class.name(),
        checksum: checksum.map(|c| ListedChecksum { algorithm: c.algorithm, kind: c.kind }),
        owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::KeyEncoding;

    #[test]
    fn tokens_round_trip() {
        for position in [ListPosition::After("a b/ü".into()), ListPosition::AfterPrefix("x/".into())] {
            assert_eq!(decode_token(&encode_token(&position)), Ok(position));
        }
        assert!(decode_token("???").is_err());
        assert!(decode_token("").is_err());
    }

    #[test]
    fn a_marker_that_is_a_common_prefix_skips_what_is_under_it() {
        let position_after = |key: &str, prefix: &str, delimiter: &str| {
            let (prefix, delimiter) = (prefix.to_owned(), delimiter.to_owned());
            super::position_after(key, &Listing { encoding: KeyEncoding::Raw, limit: 1, prefix, delimiter })
        };
        assert_eq!(position_after("", "", "/"), ListPosition::Start);
        assert_eq!(position_after("a/", "", "/"), ListPosition::AfterPrefix("a/".into()));
        assert_eq!(position_after("a/b", "", "/"), ListPosition::After("a/b".into()));
        assert_eq!(position_after("a/b/", "a/", "/"), ListPosition::AfterPrefix("a/b/".into()));
        assert_eq!(position_after("a/", "", ""), ListPosition::After("a/".into()));
        assert_eq!(position_after("a/", "a/", "/"), ListPosition::After("a/".into()));
        assert_eq!(position_after("a", "", "--"), ListPosition::After("a".into()));
    }
}
