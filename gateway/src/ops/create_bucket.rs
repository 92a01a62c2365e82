//! CreateBucket.

use axum::body::Body;
use cairn_protocol::metadata::command::CreateBucket;
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};
use http::Response;
use http::header::LOCATION;

use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call};
use crate::service::{object_headers, respond};
use crate::xml::{CREATE_BUCKET_BYTES_MAX, CreateBucketConfiguration};

/// The region in which creating a bucket that one owns already succeeds and changes nothing; everywhere else it is
/// refused. Source: S3 API reference, CreateBucket, `BucketAlreadyOwnedByYou`.
const DEFAULT_REGION: &str = "us-east-1";

pub(crate) async fn handle(mut call: Call) -> Answer {
    let name = call.bucket()?;
    object_headers::refuse_unsupported(&call.headers)?;
    if call.header("x-amz-bucket-object-lock-enabled").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        return Err(S3Error::not_implemented("x-amz-bucket-object-lock-enabled"));
    }
    let body = call.read_document(CREATE_BUCKET_BYTES_MAX).await?;
    let constraint = CreateBucketConfiguration::parse(&body)?.location_constraint;
    let region = call.gateway.region().to_owned();
    if let Some(wanted) = constraint.filter(|wanted| *wanted != region && !wanted.is_empty()) {
        let message =
            format!("The {wanted} location constraint is incompatible with this endpoint's region, {region}.");
        return Err(S3Error::with_message(S3ErrorCode::IllegalLocationConstraint, message));
    }
    let location = format!("/{name}");
    let recreating_succeeds = region == DEFAULT_REGION;
    match call.gateway.metadata().run(CreateBucket { name, region }).await {
        Err(MetadataError::Rejected(Rejection::BucketExists)) if recreating_succeeds => {}
        outcome => drop(outcome?),
    }
    respond::finish(Response::builder().header(LOCATION, location), Body::empty())
}
