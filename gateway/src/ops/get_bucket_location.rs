//! GetBucketLocation.

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::location_constraint;

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let bucket = call.context.buckets().refreshed(&call.bucket).await?;
    respond::document(location_constraint(&bucket.record.region))
}
