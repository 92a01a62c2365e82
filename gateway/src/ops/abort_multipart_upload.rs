//! AbortMultipartUpload.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::AbortUpload;
use http::StatusCode;

use crate::service::call::{Answer, Call};
use crate::service::respond;

pub(crate) async fn handle(call: Call) -> Answer {
    let command = AbortUpload { bucket: call.bucket()?, key: call.key()?, upload: call.upload_id()? };
    call.gateway.metadata().run(command).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
