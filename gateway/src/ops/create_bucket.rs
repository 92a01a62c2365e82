//! CreateBucket.

use axum::body::Body;
use cairn_protocol::metadata::command::CreateBucket;
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};
use http::Response;
use http::header::LOCATION;

use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::BucketCall;
use crate::request::object_headers::refuse_unsupported;
use crate::response::respond::{self, Answer};
use crate::xml::{CREATE_BUCKET_BYTES_MAX, CreateBucketConfiguration};

/// The region in which creating one's own bucket again succeeds and changes nothing. Everywhere else it is refused.
/// Source: S3 API reference, CreateBucket, `BucketAlreadyOwnedByYou`.
const DEFAULT_REGION: &str = "us-east-1";

pub(crate) async fn handle(mut call: BucketCall) -> Answer {
    refuse_unsupported(&call.request.headers)?;
    if call.request.header("x-amz-bucket-object-lock-enabled").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        return Err(S3Error::not_implemented("x-amz-bucket-object-lock-enabled"));
    }
    let body = call.request.read_document(CREATE_BUCKET_BYTES_MAX).await?;
    let constraint = CreateBucketConfiguration::parse(&body)?.location_constraint;
    let region = call.context.region().to_owned();
    if let Some(wanted) = constraint.filter(|wanted| *wanted != region && !wanted.is_empty()) {
        let message =
            format!("The {wanted} location constraint is incompatible with this endpoint's region, {region}.");
        return Err(S3Error::with_message(S3ErrorCode::IllegalLocationConstraint, message));
    }
    let location = format!("/{}", call.bucket);
    let recreating_succeeds = region == DEFAULT_REGION;
    match call.context.metadata().run(CreateBucket { name: call.bucket, region }).await {
        Err(MetadataError::Rejected(Rejection::BucketExists)) if recreating_succeeds => {}
        outcome => drop(outcome?),
    }
    respond::finish(Response::builder().header(LOCATION, location), Body::empty())
}
