//! ListObjects, version 2.

use super::listing::{decode_token, encode_token, fetch, listed, position_after};
use super::owner;
use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::xml::{KeyEncoding, ListBucketResultV2};

pub(crate) async fn handle(call: Call) -> Answer {
    let encoding = KeyEncoding::parse(call.query.get("encoding-type"))?;
    let limit = call.query.page_limit("max-keys")?;
    let prefix = call.query.get("prefix").unwrap_or_default();
    let delimiter = call.query.get("delimiter").filter(|d| !d.is_empty());
    let start_after = call.query.get("start-after");
    let token = call.query.get("continuation-token");
    let position = match token {
        Some(token) if !token.is_empty() => decode_token(token)?,
        _ => position_after(start_after.unwrap_or_default(), prefix, delimiter.unwrap_or_default()),
    };
    let page = fetch(&call, position, limit).await?;
    let shown_owner = (call.query.get("fetch-owner") == Some("true")).then(|| owner(&call.gateway));
    let next = page.next.as_ref().map(encode_token);
    let result = ListBucketResultV2 {
        name: call.target.bucket.as_deref().unwrap_or_default(),
        prefix,
        delimiter,
        start_after,
        continuation_token: token,
        next_continuation_token: next.as_deref(),
        max_keys: limit,
        encoding,
        is_truncated: page.next.is_some(),
        objects: page.objects.iter().map(|o| listed(o, shown_owner)).collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    };
    respond::document(result.to_xml())
}
