//! DeleteBucket.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::DeleteBucket;
use http::StatusCode;

use crate::service::call::{Answer, Call};
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    call.gateway.metadata().run(DeleteBucket { name: call.bucket()? }).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
