//! DeleteBucketLifecycle.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::SetLifecycle;
use http::StatusCode;

use crate::service::call::{Answer, Call};
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    let now_ms = call.gateway.clock().now_ms();
    call.gateway.metadata().run(SetLifecycle { bucket: call.bucket()?, rules: Vec::new(), now_ms }).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
