//! ListMultipartUploads.

use std::sync::Arc;

use cairn_core::name::BucketName;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ListUploads;

use crate::context::Context;
use crate::error::S3Error;
use crate::request::call::{Arrival, Call};
use crate::request::list_call::Listing;
use crate::request::query::Query;
use crate::response::owner::owner;
use crate::response::respond::{self, Answer};
use crate::xml::{ListMultipartUploadsResult, ListedChecksum, ListedUpload};

pub(crate) struct ListUploadsCall {
    context: Arc<Context>,
    bucket: BucketName,
    listing: Listing,
    query: Query,
}

impl Call for ListUploadsCall {
    fn parse(arrival: Arrival) -> Result<Self, S3Error> {
        let Arrival { context, target, request } = arrival;
        let listing = Listing::parse(&request.query, "max-uploads")?;
        Ok(Self { context, bucket: target.bucket()?, listing, query: request.query })
    }
}

pub(crate) async fn handle(call: ListUploadsCall) -> Answer {
    let ListUploadsCall { context, bucket, listing, query } = call;
    let ids = context.ids()?;
    let Listing { encoding, limit, prefix, delimiter } = listing.clone();
    let (key_marker, upload_marker) = (query.text("key-marker"), query.text("upload-id-marker"));
    let uploads = ListUploads {
        bucket: bucket.clone(),
        prefix,
        delimiter,
        key_marker: key_marker.to_owned(),
        upload_marker: ids.parse_upload(upload_marker),
        limit,
    };
    let page = context.metadata().ask(uploads).await?;
    let texts: Vec<String> = page.uploads.iter().map(|u| ids.upload(u.upload)).collect();
    let next_upload = page.next.as_ref().and_then(|(_, upload)| upload.map(|upload| ids.upload(upload)));
    let result = ListMultipartUploadsResult {
        bucket: bucket.as_str(),
        key_marker,
        upload_id_marker: upload_marker,
        next_key_marker: page.next.as_ref().map(|(key, _)| key.as_str()),
        next_upload_id_marker: next_upload.as_deref(),
        prefix: &listing.prefix,
        delimiter: listing.shown_delimiter(),
        encoding,
        max_uploads: limit,
        is_truncated: page.next.is_some() && limit > 0,
        uploads: page
            .uploads
            .iter()
            .zip(&texts)
            .map(|(u, id)| ListedUpload {
                key: u.key.as_str(),
                upload_id: id,
                initiated_ms: u.created_ms,
                owner: owner(&context),
                storage_class: u.storage_class.name(),
                checksum: ListedChecksum::announced(u.checksum_algorithm.as_deref(), u.checksum_composite),
            })
            .collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    };
    respond::document(result.to_xml())
}
