//! ListObjects, version 1.

use cairn_protocol::metadata::query::ListPosition;

use super::steps::listing::{document_page, fetch, position_after};
use crate::request::list_call::ListCall;
use crate::response::respond::{self, Answer};
use crate::xml::ListBucketResultV1;

pub(crate) async fn handle(call: ListCall) -> Answer {
    let marker = call.request.query.text("marker");
    let page = fetch(&call, position_after(marker, &call.listing)).await?;
    // Source: S3 API reference: NextMarker is returned only if a delimiter was given.
    let next_marker = match (&page.next, call.listing.shown_delimiter()) {
        (Some(ListPosition::After(text) | ListPosition::AfterPrefix(text)), Some(_)) => Some(text.as_str()),
        _ => None,
    };
    let owner = crate::response::owner::owner(&call.context);
    let result = ListBucketResultV1 { page: document_page(&call, &page, Some(owner)), marker, next_marker };
    respond::document(result.to_xml())
}
