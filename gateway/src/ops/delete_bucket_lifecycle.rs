//! DeleteBucketLifecycle.

use cairn_protocol::metadata::command::SettingChange;
use cairn_protocol::metadata::settings::SettingKind;
use http::StatusCode;

use super::steps::set_bucket_setting::set_bucket_setting;
use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let change = SettingChange::Document(SettingKind::LIFECYCLE, None);
    set_bucket_setting(&call.context, &call.bucket, change).await?;
    respond::empty(StatusCode::NO_CONTENT)
}
