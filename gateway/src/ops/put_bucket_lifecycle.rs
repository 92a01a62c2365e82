//! PutBucketLifecycleConfiguration.

use axum::body::Body;
use cairn_core::lifecycle::Rule;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::SetLifecycle;
use http::Response;

use super::get_bucket_lifecycle::{MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT};
use crate::error::S3Error;
use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::xml::{LIFECYCLE_BYTES_MAX, parse_lifecycle};

/// Characters of an id that the client left to us: those of AWS have as many.
const DRAWN_ID_CHARS: usize = 32;

pub(crate) async fn handle(mut call: Call) -> Answer {
    let bucket = call.bucket()?;
    call.demand_integrity_check()?;
    // It is about transitions, of which there are none: only what is so anyhow can be asked for.
    if call.header(MINIMUM_SIZE).is_some_and(|wanted| wanted != MINIMUM_SIZE_DEFAULT) {
        return Err(S3Error::not_implemented(MINIMUM_SIZE));
    }
    let body = call.read_document(LIFECYCLE_BYTES_MAX).await?;
    let mut rules = parse_lifecycle(&body)?;
    name_all(&mut rules, || call.gateway.request_id() + &call.gateway.request_id());
    let now_ms = call.gateway.clock().now_ms();
    call.gateway.metadata().run(SetLifecycle { bucket, rules, now_ms }).await?;
    respond::finish(Response::builder().header(MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT), Body::empty())
}

/// Gives rules an id that came without.
fn name_all(rules: &mut [Rule], mut draw: impl FnMut() -> String) {
    for rule in rules.iter_mut().filter(|rule| rule.id.is_empty()) {
        rule.id = draw().chars().take(DRAWN_ID_CHARS).collect();
    }
}
