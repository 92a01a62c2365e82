//! DeleteObjects: up to 1,000 keys in one request, each with an outcome of its own.

use std::sync::Arc;

use cairn_core::etag::ETag;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::{DeleteObject, ObjectDeleted, Precondition};
use cairn_protocol::metadata::settings::BucketRecord;
use futures_util::{StreamExt, stream};

use crate::context::Context;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::BucketCall;
use crate::request::name::object_key;
use crate::response::respond::{self, Answer};
use crate::xml::{DELETE_BYTES_MAX, Delete, DeleteOutcome, DeleteResult, ObjectToDelete};

/// Deletes in flight at once: enough to fill a commit.
const CONCURRENCY: usize = 128;

pub(crate) async fn handle(mut call: BucketCall) -> Answer {
    let bucket = call.bucket;
    call.request.demand_integrity_check()?;
    let body = call.request.read_document(DELETE_BYTES_MAX).await?;
    let delete = Delete::parse(&body)?;
    call.context.buckets().refreshed(&bucket).await?;
    let outcomes = stream::iter(delete.objects)
        .map(|object| delete_one(Arc::clone(&call.context), bucket.clone(), object))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    respond::document(DeleteResult { quiet: delete.quiet, outcomes }.to_xml())
}

async fn delete_one(context: Arc<Context>, bucket: BucketName, object: ObjectToDelete) -> DeleteOutcome {
    let (key, version_id) = (object.key.clone(), object.version_id.clone());
    let deleted = async { Ok((context.ids()?, try_delete(&context, bucket, object).await?)) };
    match deleted.await {
        // An object that does not exist counts as deleted.
        Ok((ids, ObjectDeleted { version, is_marker, .. })) => DeleteOutcome::Deleted {
            key,
            version_id,
            delete_marker_version_id: version.filter(|_| is_marker).map(|id| ids.version(id)),
            delete_marker: is_marker,
        },
        Err::<_, S3Error>(error) => {
            DeleteOutcome::Failed { key, version_id, code: error.code(), message: error.message().to_owned() }
        }
    }
}

async fn try_delete(context: &Context, bucket: BucketName, object: ObjectToDelete) -> Result<ObjectDeleted, S3Error> {
    let key = object_key(&object.key)?;
    let id = object.version_id.as_deref().filter(|id| !id.is_empty());
    let ids = context.ids()?;
    let version = id.map(|id| ids.parse_version(id).ok_or(S3ErrorCode::NoSuchVersion)).transpose()?;
    if object.last_modified_time.is_some() || object.size.is_some() {
        return Err(S3Error::not_implemented("LastModifiedTime, Size"));
    }
    let precondition = entry_precondition(object.etag.as_deref())?;
    let command = DeleteObject { bucket: bucket.clone(), key, precondition, version, revision: None };
    let decide = |record: &BucketRecord| DeleteObject { revision: Some(record.revision), ..command.clone() };
    Ok(context.buckets().run(&bucket, decide).await?)
}

/// The `ETag` element of an entry works as `If-Match`.
fn entry_precondition(etag: Option<&str>) -> Result<Precondition, S3Error> {
    match etag {
        None => Ok(Precondition::default()),
        Some("*") => Ok(Precondition { must_exist: true, ..Precondition::default() }),
        Some(text) => {
            let tag = ETag::parse(text).ok_or(S3ErrorCode::PreconditionFailed)?;
            Ok(Precondition { if_match: vec![tag], ..Precondition::default() })
        }
    }
}
