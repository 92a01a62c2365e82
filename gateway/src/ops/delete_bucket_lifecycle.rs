//! DeleteBucketLifecycle.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::SetLifecycle;
use http::StatusCode;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let now_ms = call.context.clock().now_ms();
    call.context.metadata().run(SetLifecycle { bucket: call.bucket, rules: Vec::new(), now_ms }).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
