//! HeadBucket.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetBucket;
use http::Response;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let bucket = call.context.metadata().ask(GetBucket { name: call.bucket }).await?;
    respond::finish(Response::builder().header("x-amz-bucket-region", bucket.region), Body::empty())
}
