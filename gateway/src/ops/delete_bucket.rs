//! DeleteBucket.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::DeleteBucket;
use http::StatusCode;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: BucketCall) -> Answer {
    call.context.metadata().run(DeleteBucket { name: call.bucket }).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
