//! HeadBucket.

use axum::body::Body;
use http::Response;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let bucket = call.context.buckets().refreshed(&call.bucket).await?;
    respond::finish(Response::builder().header("x-amz-bucket-region", &bucket.record.region), Body::empty())
}
