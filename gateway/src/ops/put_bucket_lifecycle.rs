//! PutBucketLifecycleConfiguration.

use axum::body::Body;
use cairn_core::lifecycle::Rule;
use cairn_protocol::metadata::command::SettingChange;
use cairn_protocol::metadata::settings::{SettingKind, lifecycle_document};
use http::Response;

use super::steps::lifecycle_header::{MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT};
use super::steps::set_bucket_setting::set_bucket_setting;
use crate::error::S3Error;
use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::{LIFECYCLE_BYTES_MAX, parse_lifecycle};

pub(crate) async fn handle(mut call: BucketCall) -> Answer {
    call.request.demand_integrity_check()?;
    // The header is about transitions, which do not exist: only its default can be asked for.
    if call.request.header(MINIMUM_SIZE).is_some_and(|wanted| wanted != MINIMUM_SIZE_DEFAULT) {
        return Err(S3Error::not_implemented(MINIMUM_SIZE));
    }
    let body = call.request.read_document(LIFECYCLE_BYTES_MAX).await?;
    let mut rules = parse_lifecycle(&body)?;
    // AWS draws ids of 32 characters too.
    name_all(&mut rules, || call.context.new_id() + &call.context.new_id());
    let change = SettingChange::Document(SettingKind::LIFECYCLE, Some(lifecycle_document(&rules)));
    set_bucket_setting(&call.context, &call.bucket, change).await?;
    respond::finish(Response::builder().header(MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT), Body::empty())
}

/// Gives an id to each rule that came without one.
fn name_all(rules: &mut [Rule], mut draw: impl FnMut() -> String) {
    for rule in rules.iter_mut().filter(|rule| rule.id.is_empty()) {
        rule.id = draw();
    }
}
