//! PutBucketVersioning.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::SetVersioning;
use http::StatusCode;

use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::xml::{VERSIONING_BYTES_MAX, parse_versioning};

pub(crate) async fn handle(mut call: Call) -> Answer {
    let bucket = call.bucket()?;
    let body = call.read_document(VERSIONING_BYTES_MAX).await?;
    let versioning = parse_versioning(&body)?;
    call.gateway.metadata().run(SetVersioning { bucket, versioning }).await?;
    respond::empty(StatusCode::OK)
}
