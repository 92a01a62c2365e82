//! PutObject.

use axum::body::Body;
use cairn_core::descriptor::Header;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{CommitObject, ObjectCommitted, Precondition};
use cairn_protocol::metadata::query::GetObject;
use cairn_protocol::metadata::{MetadataError, Rejection};
use http::Response;

use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call};
use crate::service::conditions::write_precondition;
use crate::service::expiration::{Described, describe_expiration};
use crate::service::ingest::{Ingested, Purpose, ingest};
use crate::service::object_headers::{describe_checksum, requested_storage_class, stored_headers, to_stored};
use crate::service::respond;
use crate::service::version::describe_made;

pub(crate) async fn handle(mut call: Call) -> Answer {
    let (bucket, key) = (call.bucket()?, call.key()?);
    let (headers, storage_class) = (stored_headers(&call.headers)?, requested_storage_class(&call.headers)?);
    let precondition = write_precondition(&call.headers);
    fail_fast(&call, &precondition).await?;
    let purpose = Purpose { bucket: &bucket, key: &key, part: None, headers: &headers, storage_class };
    let body = ingest(&mut call, purpose, None).await?;
    let committed = commit_object(&call, &body, (headers, storage_class), precondition).await?;
    let response = Response::builder().header("etag", format!("\"{}\"", body.etag));
    let response = describe_made(response, committed.version);
    let response = describe_expiration(&call, response, described(&committed, &body)).await?;
    respond::finish(describe_checksum(response, body.checksum.as_ref()), Body::empty())
}

/// What was committed, as [`describe_expiration`] wants it.
pub(super) fn described(committed: &ObjectCommitted, body: &Ingested) -> Described {
    let &ObjectCommitted { sequence, last_modified_ms, lifecycle, version: _ } = committed;
    let size = body.placed.as_ref().map_or(0, |placed| placed.run.size);
    Described { lifecycle, sequence, last_modified_ms, size }
}

/// Makes an ingested body the newest version of the request's key.
pub(super) async fn commit_object(
    call: &Call,
    body: &Ingested,
    (headers, storage_class): (Vec<Header>, StorageClass),
    precondition: Precondition,
) -> Result<ObjectCommitted, S3Error> {
    let command = CommitObject {
        session: body.session,
        bucket: call.bucket()?,
        key: call.key()?,
        body: body.placed.clone(),
        etag: body.etag,
        headers,
        checksum: body.checksum.as_ref().map(to_stored),
        precondition,
        storage_class,
    };
    Ok(call.gateway.data().commit(command, body.session, body.placed.clone()).await?)
}

/// Looks before a large body is taken in whether the write can succeed at all. The commit decides again, atomically.
pub(super) async fn fail_fast(call: &Call, precondition: &Precondition) -> Result<(), S3Error> {
    let (bucket, key) = (call.bucket()?, call.key()?);
    let query = GetObject { bucket, key, part: None, range: None, extents: 0, version: None };
    let current = match call.gateway.metadata().ask(query).await {
        Ok(view) => Some(view.version.etag),
        Err(MetadataError::Rejected(Rejection::NoSuchKey | Rejection::DeleteMarker(_))) => None,
        Err(error) => return Err(error.into()),
    };
    if current.is_none() && precondition.requires_existence() {
        return Err(S3ErrorCode::NoSuchKey.into());
    }
    if precondition.holds(current.as_ref()) { Ok(()) } else { Err(S3ErrorCode::PreconditionFailed.into()) }
}
