//! GetBucketVersioning.

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::versioning_configuration;

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let bucket = call.context.buckets().refreshed(&call.bucket).await?;
    respond::document(versioning_configuration(bucket.record.versioning))
}
