//! GetBucketLifecycleConfiguration.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetLifecycle;
use http::Response;
use http::header::CONTENT_TYPE;

use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call};
use crate::service::respond;
use crate::xml::lifecycle_configuration;

/// From which size on objects move to another storage class.
pub(super) const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";
/// S3's own default.
pub(super) const MINIMUM_SIZE_DEFAULT: &str = "all_storage_classes_128K";

pub(crate) async fn handle(call: Call) -> Answer {
    let bucket = call.bucket()?;
    let Some(lifecycle) = call.gateway.metadata().ask(GetLifecycle { bucket: bucket.clone() }).await? else {
        let error = S3Error::new(S3ErrorCode::NoSuchLifecycleConfiguration);
        return Err(error.with("BucketName", bucket.as_str()));
    };
    let response = Response::builder().header(CONTENT_TYPE, respond::XML).header(MINIMUM_SIZE, MINIMUM_SIZE_DEFAULT);
    respond::finish(response, Body::from(lifecycle_configuration(&lifecycle.rules)))
}
