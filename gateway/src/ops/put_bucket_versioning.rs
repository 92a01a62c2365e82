//! PutBucketVersioning.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::SetVersioning;
use http::StatusCode;

use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::{VERSIONING_BYTES_MAX, parse_versioning};

pub(crate) async fn handle(mut call: BucketCall) -> Answer {
    let body = call.request.read_document(VERSIONING_BYTES_MAX).await?;
    let versioning = parse_versioning(&body)?;
    call.context.metadata().run(SetVersioning { bucket: call.bucket, versioning }).await?;
    respond::empty(StatusCode::OK)
}
