//! The commit of a new object, and the check before its body is taken in.

use cairn_protocol::metadata::command::{CommitObject, ObjectCommitted, Precondition};
use cairn_protocol::metadata::query::GetObject;
use cairn_protocol::metadata::settings::BucketRecord;
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};

use crate::body::Checksum;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::ObjectCall;
use crate::request::ingest::Ingested;
use crate::request::name::ObjectName;
use crate::request::object_headers::ObjectProperties;
use crate::response::expiration::Described;

/// Makes an ingested body the newest version of the request's key.
pub(in crate::ops) async fn commit_object(
    call: &ObjectCall,
    body: &Ingested,
    properties: ObjectProperties,
    precondition: Precondition,
) -> Result<ObjectCommitted, S3Error> {
    let ObjectName { bucket, key } = call.object.clone();
    let command = CommitObject {
        session: body.session,
        bucket: bucket.clone(),
        key,
        body: body.placed.clone(),
        etag: body.etag,
        headers: properties.headers,
        checksum: body.checksum.as_ref().map(Checksum::to_stored),
        precondition,
        storage_class: properties.storage_class,
        revision: None,
    };
    let decide = move |record: &BucketRecord| CommitObject { revision: Some(record.revision), ..command.clone() };
    Ok(call.context.data().commit_in(bucket, decide, body.session, body.placed.clone()).await?)
}

/// What was committed, for `x-amz-expiration`.
pub(in crate::ops) fn described(committed: &ObjectCommitted, body: &Ingested) -> Described {
    let &ObjectCommitted { sequence, last_modified_ms, lifecycle, version: _ } = committed;
    let size = body.placed.as_ref().map_or(0, |placed| placed.run.size);
    Described { lifecycle, sequence, last_modified_ms, size }
}

/// Checks whether the write can succeed at all before a large body is taken in. The commit decides again, atomically.
pub(in crate::ops) async fn fail_fast(call: &ObjectCall, precondition: &Precondition) -> Result<(), S3Error> {
    let buckets = call.context.buckets();
    if *precondition == Precondition::default() {
        // Only the bucket has to be there.
        buckets.for_read(&call.object.bucket).await?;
        return Ok(());
    }
    let ObjectName { bucket, key } = call.object.clone();
    let query = GetObject { bucket, key, part: None, range: None, extents: 0, version: None };
    let asked = buckets.now();
    let current = match call.context.metadata().ask(query).await {
        Ok(view) => {
            buckets.saw(&call.object.bucket, view.revision, asked);
            Some(view.version.etag)
        }
        Err(MetadataError::Rejected(Rejection::NoSuchKey | Rejection::DeleteMarker(_))) => None,
        Err(error) => return Err(error.into()),
    };
    if current.is_none() && precondition.requires_existence() {
        return Err(S3ErrorCode::NoSuchKey.into());
    }
    if precondition.holds(current.as_ref()) { Ok(()) } else { Err(S3ErrorCode::PreconditionFailed.into()) }
}
