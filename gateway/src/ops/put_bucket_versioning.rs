//! PutBucketVersioning.

use cairn_protocol::metadata::command::SettingChange;
use http::StatusCode;

use super::steps::set_bucket_setting::set_bucket_setting;
use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::{VERSIONING_BYTES_MAX, parse_versioning};

pub(crate) async fn handle(mut call: BucketCall) -> Answer {
    let body = call.request.read_document(VERSIONING_BYTES_MAX).await?;
    let versioning = parse_versioning(&body)?;
    set_bucket_setting(&call.context, &call.bucket, SettingChange::Versioning(versioning)).await?;
    respond::empty(StatusCode::OK)
}
