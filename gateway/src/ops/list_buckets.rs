//! ListBuckets.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ListBuckets;

use crate::error::S3Error;
use crate::request::call::ServiceCall;
use crate::response::owner::owner;
use crate::response::respond::{self, Answer};
use crate::xml::{ListAllMyBucketsResult, ListedBucket};

/// Most buckets in one page. Source: S3 API reference, ListBuckets.
const PAGE_MAX: u32 = 10_000;

pub(crate) async fn handle(call: ServiceCall) -> Answer {
    let query = &call.request.query;
    let prefix = query.text("prefix").to_owned();
    let after = query.get("continuation-token").filter(|t| !t.is_empty()).map(str::to_owned);
    let limit = page_limit(query.get("max-buckets"))?;
    let page = call.context.metadata().ask(ListBuckets { prefix: prefix.clone(), after, limit }).await?;
    let token = if page.truncated { page.buckets.last().map(|b| b.name.as_str()) } else { None };
    let result = ListAllMyBucketsResult {
        owner: owner(&call.context),
        buckets: page
            .buckets
            .iter()
            .map(|b| ListedBucket { name: b.name.as_str(), created_ms: b.record.created_ms, region: None })
            .collect(),
        continuation_token: token,
        prefix: query.get("prefix"),
    };
    respond::document(result.to_xml())
}

fn page_limit(text: Option<&str>) -> Result<u32, S3Error> {
    let Some(text) = text else { return Ok(PAGE_MAX) };
    match text.parse() {
        Ok(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        _ => Err(S3Error::invalid_argument("max-buckets", text, "Argument max-buckets must be between 1 and 10000")),
    }
}
