//! ListObjects, version 2.

use cairn_protocol::metadata::query::ListPosition;

use super::steps::listing::{decode_token, document_page, encode_token, fetch, position_after};
use crate::error::S3Error;
use crate::request::call::{Arrival, Call};
use crate::request::list_call::{ListCall, Listing};
use crate::response::owner::owner;
use crate::response::respond::{self, Answer};
use crate::xml::ListBucketResultV2;

/// A listing and where it continues.
pub(crate) struct ListObjectsV2Call {
    list: ListCall,
    position: ListPosition,
}

impl Call for ListObjectsV2Call {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let Arrival { context, target, request } = arrival;
        let listing = Listing::parse(&request.query, "max-keys")?;
        let position = match request.query.text("continuation-token") {
            "" => position_after(request.query.text("start-after"), &listing),
            token => decode_token(token)?,
        };
        let list = ListCall { context, bucket: target.bucket()?, listing, request };
        Ok(Self { list, position })
    }
}

pub(crate) async fn handle(call: ListObjectsV2Call) -> Answer {
    let ListObjectsV2Call { list, position } = call;
    let query = &list.request.query;
    let page = fetch(&list, position).await?;
    let shown_owner = (query.get("fetch-owner") == Some("true")).then(|| owner(&list.context));
    let next = page.next.as_ref().map(encode_token);
    let result = ListBucketResultV2 {
        page: document_page(&list, &page, shown_owner),
        start_after: query.get("start-after"),
        continuation_token: query.get("continuation-token"),
        next_continuation_token: next.as_deref(),
    };
    respond::document(result.to_xml())
}
