//! ListObjects, version 1.

use cairn_protocol::metadata::query::ListPosition;

use super::listing::{fetch, listed, position_after};
use super::owner;
use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::xml::{KeyEncoding, ListBucketResultV1};

pub(crate) async fn handle(call: Call) -> Answer {
    let encoding = KeyEncoding::parse(call.query.get("encoding-type"))?;
    let limit = call.query.page_limit("max-keys")?;
    let marker = call.query.get("marker").unwrap_or_default();
    let prefix = call.query.get("prefix").unwrap_or_default();
    let delimiter = call.query.get("delimiter").filter(|d| !d.is_empty());
    let page = fetch(&call, position_after(marker, prefix, delimiter.unwrap_or_default()), limit).await?;
    // Source: S3 API reference: NextMarker is returned only where a delimiter was given.
    let next_marker = match (&page.next, delimiter) {
        (Some(ListPosition::After(text) | ListPosition::AfterPrefix(text)), Some(_)) => Some(text.as_str()),
        _ => None,
    };
    let result = ListBucketResultV1 {
        name: call.target.bucket.as_deref().unwrap_or_default(),
        prefix,
        marker,
        next_marker,
        delimiter,
        max_keys: limit,
        encoding,
        is_truncated: page.next.is_some(),
        objects: page.objects.iter().map(|o| listed(o, Some(owner(&call.gateway)))).collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    };
    respond::document(result.to_xml())
}
