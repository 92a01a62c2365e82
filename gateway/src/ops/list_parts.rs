//! ListParts.

use std::sync::Arc;

use cairn_core::id::UploadId;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ListParts;

use crate::body::Checksum;
use crate::context::Context;
use crate::error::S3Error;
use crate::request::call::{Arrival, Call};
use crate::request::name::ObjectName;
use crate::request::query::Query;
use crate::request::upload_call::UploadCall;
use crate::response::owner::owner;
use crate::response::respond::{self, Answer};
use crate::xml::{ListPartsResult, ListedChecksum, ListedPart};

pub(crate) struct ListPartsCall {
    context: Arc<Context>,
    object: ObjectName,
    upload: UploadId,
    /// Page size limit.
    limit: u32,
    /// Number after which the page begins.
    marker: u32,
}

impl Call for ListPartsCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let limit = arrival.request.query.page_limit("max-parts")?;
        let marker = part_number_marker(&arrival.request.query)?;
        let UploadCall { context, object, upload, request: _ } = UploadCall::parse(arrival)?;
        Ok(Self { context, object, upload, limit, marker })
    }
}

pub(crate) async fn handle(call: ListPartsCall) -> Answer {
    let ListPartsCall { context, object: ObjectName { bucket, key }, upload, limit, marker } = call;
    let query = ListParts { bucket: bucket.clone(), key: key.clone(), upload, after: marker, limit };
    let page = context.metadata().ask(query).await?;
    let result = ListPartsResult {
        bucket: bucket.as_str(),
        key: key.as_str(),
        upload_id: &context.ids()?.upload(upload),
        part_number_marker: marker,
        next_part_number_marker: page.parts.last().map(|p| p.number.get()),
        max_parts: limit,
        is_truncated: page.truncated && limit > 0,
        parts: page
            .parts
            .iter()
            .map(|p| ListedPart {
                number: p.number.get(),
                last_modified_ms: p.last_modified_ms,
                etag: p.etag,
                size: p.size,
                checksum: p.checksum.as_ref().and_then(Checksum::from_stored),
            })
            .collect(),
        owner: owner(&context),
        storage_class: page.upload.storage_class.name(),
        checksum: ListedChecksum::announced(page.upload.checksum_algorithm.as_deref(), page.upload.checksum_composite),
    };
    respond::document(result.to_xml())
}

fn part_number_marker(query: &Query) -> Result<u32, S3Error> {
    let Some(text) = query.get("part-number-marker").filter(|t| !t.is_empty()) else { return Ok(0) };
    text.parse()
        .map_err(|_| S3Error::invalid_argument("part-number-marker", text, "part-number-marker must be a number"))
}
