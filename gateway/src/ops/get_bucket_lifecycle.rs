//! GetBucketLifecycleConfiguration.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetLifecycle;
use http::Response;
use http::header::CONTENT_TYPE;

use super::steps::lifecycle_header::{MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::lifecycle_configuration;

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let Some(lifecycle) = call.context.metadata().ask(GetLifecycle { bucket: call.bucket.clone() }).await? else {
        let error = S3Error::new(S3ErrorCode::NoSuchLifecycleConfiguration);
        return Err(error.with("BucketName", call.bucket.as_str()));
    };
    let response = Response::builder().header(CONTENT_TYPE, respond::XML).header(MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT);
    respond::finish(response, Body::from(lifecycle_configuration(&lifecycle.rules)))
}
