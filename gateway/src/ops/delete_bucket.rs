//! DeleteBucket.

use cairn_protocol::metadata::command::DeleteBucket;
use cairn_protocol::metadata::settings::BucketRecord;
use http::StatusCode;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let decide = |record: &BucketRecord| DeleteBucket { name: call.bucket.clone(), revision: Some(record.revision) };
    call.context.buckets().run(&call.bucket, decide).await?;
    call.context.buckets().forget(&call.bucket);
    respond::empty(StatusCode::NO_CONTENT)
}
