//! CreateBucket.

use axum::body::Body;
use cairn_protocol::metadata::command::CreateBucket;
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};
use http::Response;
use http::header::LOCATION;

use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::BucketCall;
use crate::request::name::invalid_bucket_name;
use crate::request::object_headers::{of_an_object, refuse_grants};
use crate::response::respond::{self, Answer};
use crate::xml::{CREATE_BUCKET_BYTES_MAX, CreateBucketConfiguration};

/// The region in which creating one's own bucket again succeeds and changes nothing. Everywhere else it is refused.
/// Source: S3 API reference, CreateBucket, `BucketAlreadyOwnedByYou`.
const DEFAULT_REGION: &str = "us-east-1";

/// What every bucket has: nobody but its owner has objects in it, so there is nothing to be owned by others.
const OWNERSHIP: &str = "BucketOwnerEnforced";
const OTHER_OWNERSHIPS: [&str; 2] = ["BucketOwnerPreferred", "ObjectWriter"];

pub(crate) async fn handle(mut call: BucketCall) -> Answer {
    check_headers(&call)?;
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

/// A request that says something of an object was meant for one: its bucket was in a host that the client did not send.
fn check_headers(call: &BucketCall) -> Result<(), S3Error> {
    let name = call.bucket.as_str();
    call.bucket.check_new().map_err(|error| invalid_bucket_name(name, error))?;
    if let Some(header) = of_an_object(&call.request.headers) {
        let message = format!("{header} is of objects, and the request's target is the bucket {name}.");
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    refuse_grants(&call.request.headers)?;
    match call.request.header("x-amz-object-ownership") {
        None | Some(OWNERSHIP) => Ok(()),
        Some(other) if OTHER_OWNERSHIPS.contains(&other) => Err(S3Error::not_implemented("x-amz-object-ownership")),
        Some(other) => {
            Err(S3Error::invalid_argument("x-amz-object-ownership", other, "Invalid x-amz-object-ownership header."))
        }
    }
}
