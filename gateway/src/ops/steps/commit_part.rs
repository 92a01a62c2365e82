//! The commit of a part, and the check before its body is taken in.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::CommitPart;
use cairn_protocol::metadata::query::{GetUpload, UploadInfo};
use cairn_protocol::metadata::settings::BucketRecord;

use crate::body::Checksum;
use crate::error::S3Error;
use crate::request::ingest::Ingested;
use crate::request::name::ObjectName;
use crate::request::upload_call::PartCall;

/// Commits a part; returns its time of modification in milliseconds since the Unix epoch.
pub(in crate::ops) async fn commit_part(call: &PartCall, body: Ingested) -> Result<u64, S3Error> {
    let ObjectName { bucket, key } = call.object.clone();
    let command = CommitPart {
        session: body.session,
        bucket: bucket.clone(),
        key,
        upload: call.part.upload,
        number: call.part.number,
        body: body.placed.clone(),
        etag: body.etag,
        checksum: body.checksum.as_ref().map(Checksum::to_stored),
        revision: None,
    };
    let decide = move |record: &BucketRecord| CommitPart { revision: Some(record.revision), ..command.clone() };
    Ok(call.context.data().commit_in(bucket, decide, body.session, body.placed).await?.last_modified_ms)
}

/// Looks up the upload before a large body is taken in.
pub(in crate::ops) async fn find_upload(call: &PartCall) -> Result<UploadInfo, S3Error> {
    let ObjectName { bucket, key } = call.object.clone();
    let asked = call.context.buckets().now();
    let found = call.context.metadata().ask(GetUpload { bucket, key, upload: call.part.upload }).await?;
    call.context.buckets().saw(&call.object.bucket, found.revision, asked);
    Ok(found)
}
