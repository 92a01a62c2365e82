//! HeadBucket.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetBucket;
use http::Response;

use crate::service::call::{Answer, Call};
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    let bucket = call.gateway.metadata().ask(GetBucket { name: call.bucket()? }).await?;
    respond::finish(Response::builder().header("x-amz-bucket-region", bucket.region), Body::empty())
}
