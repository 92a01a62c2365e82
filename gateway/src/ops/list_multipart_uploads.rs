//! ListMultipartUploads.

use std::sync::Arc;

use cairn_core::id::UploadId;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ListUploads;

use crate::client_ids::ClientIds;
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
        upload_marker: position(ids, key_marker, upload_marker)?,
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

/// The upload after which the listing continues. Without a key marker it means nothing. Source: S3 API reference,
/// ListMultipartUploads.
fn position(ids: &ClientIds, key_marker: &str, upload_marker: &str) -> Result<Option<UploadId>, S3Error> {
    if key_marker.is_empty() || upload_marker.is_empty() {
        return Ok(None);
    }
    let invalid = || S3Error::invalid_argument("upload-id-marker", upload_marker, "Invalid uploadId marker");
    ids.parse_upload(upload_marker).map(Some).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::S3ErrorCode;

    #[test]
    fn a_marker_that_is_no_upload_is_refused_and_never_the_end() {
        let ids = ClientIds::of_tests();
        let marker = ids.upload(UploadId(7));
        assert_eq!(position(&ids, "key", &marker), Ok(Some(UploadId(7))));
        assert_eq!((position(&ids, "", "x"), position(&ids, "key", "")), (Ok(None), Ok(None)));
        for text in ["x", &"0".repeat(32)] {
            assert_eq!(position(&ids, "key", text).unwrap_err().code(), S3ErrorCode::InvalidArgument, "{text}");
        }
    }
}
