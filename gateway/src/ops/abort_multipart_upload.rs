//! AbortMultipartUpload.

use cairn_protocol::metadata::command::AbortUpload;
use cairn_protocol::metadata::settings::BucketRecord;
use http::StatusCode;

use crate::request::name::ObjectName;
use crate::request::upload_call::UploadCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: UploadCall) -> Answer {
    let ObjectName { bucket, key } = &call.object;
    let decide = |record: &BucketRecord| {
        let revision = Some(record.revision);
        AbortUpload { bucket: bucket.clone(), key: key.clone(), upload: call.upload, revision }
    };
    call.context.buckets().run(bucket, decide).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
