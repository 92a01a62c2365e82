//! AbortMultipartUpload.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::AbortUpload;
use http::StatusCode;

use crate::request::upload_call::UploadCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: UploadCall) -> Answer {
    let command = AbortUpload { bucket: call.object.bucket, key: call.object.key, upload: call.upload };
    call.context.metadata().run(command).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
