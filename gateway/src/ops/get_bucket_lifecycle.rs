//! GetBucketLifecycleConfiguration.

use axum::body::Body;
use cairn_protocol::metadata::MetadataError;
use http::Response;
use http::header::CONTENT_TYPE;

use super::steps::lifecycle_header::{MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::BucketCall;
use crate::response::respond::{self, Answer};
use crate::xml::lifecycle_configuration;

pub(crate) async fn handle(call: BucketCall) -> Answer {
    let bucket = call.context.buckets().refreshed(&call.bucket).await?;
    let Some(rules) = bucket.rules().map_err(|error| MetadataError::Protocol(error.to_string()))? else {
        let error = S3Error::new(S3ErrorCode::NoSuchLifecycleConfiguration);
        return Err(error.with("BucketName", call.bucket.as_str()));
    };
    let response = Response::builder().header(CONTENT_TYPE, respond::XML).header(MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT);
    respond::finish(response, Body::from(lifecycle_configuration(&rules)))
}
