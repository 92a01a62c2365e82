//! Answers a request.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use cairn_core::name::BucketName;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};

use super::front::Front;
use super::unread_body::UnreadBody;
use super::{allowed, route};
use crate::auth::{RequestHead, hoist_query_headers};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::Arrival;
use crate::request::conditions::named_condition;
use crate::request::host;
use crate::request::incoming::Incoming;
use crate::request::query::Query;
use crate::request::target::Target;
use crate::response::respond::{self, Answer};
use crate::xml::error_document;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const SERVER: HeaderValue = HeaderValue::from_static("Cairn");

/// Never fails: an error becomes a response.
pub(crate) async fn handle(front: &Front, request: Request) -> Response<Body> {
    let id = front.context.new_id();
    let method = request.method().clone();
    let resource = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let (unread, body) = UnreadBody::watch(&parts.headers, body);
    let mut response = match serve(front, parts, body).await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(%method, resource, %error, request = id, "request failed; answering with its error");
            error_response(&error, &method, &resource, &id)
        }
    };
    let reusable = unread.drain().await;
    let headers = response.headers_mut();
    if !reusable {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HOST_ID, value.clone());
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(http::header::SERVER, SERVER);
    response
}

async fn serve(front: &Front, mut parts: Parts, body: Body) -> Answer {
    let host = host::settle(&mut parts)?;
    let head = RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers };
    let now = front.context.clock().now();
    let authentication = front.authenticator.authenticate(&head, &front.credentials, now)?;
    // There are no bucket policies yet, so only the root user may do anything.
    authentication.caller.access_key()?;
    let query = Query::parse(parts.uri.query())?;
    if authentication.presigned {
        hoist_query_headers(parts.uri.query().unwrap_or_default(), &mut parts.headers);
    }
    let target = Target::parse(&parts.uri, front.hosts.style(host.as_ref())?)?;
    let operation = route::find(&parts.method, &target, &query, &parts.headers)?;
    allowed::check(operation, &parts.method, &query, &parts.headers, authentication.presigned)?;
    check_owner(front.context.owner_id(), &parts.headers)?;
    let (condition, bucket) = (named_condition(&parts.headers), target.bucket().ok());
    let request = Incoming::new(query, parts.headers, authentication.payload, body);
    let answer = operation.run(Arrival { context: Arc::clone(&front.context), target, request }).await;
    answer.map_err(|error| explain(error, condition, bucket))
}

/// Names what the error is about, where only the request says it.
fn explain(error: S3Error, condition: Option<&'static str>, bucket: Option<BucketName>) -> S3Error {
    match (error.code(), condition, bucket) {
        (S3ErrorCode::PreconditionFailed, Some(condition), _) => error.with("Condition", condition),
        (S3ErrorCode::NoSuchBucket, _, Some(bucket)) if error.detail("BucketName").is_none() => {
            error.with("BucketName", bucket.as_str())
        }
        _ => error,
    }
}

/// Whoever says whose the buckets are is refused if they are another's.
fn check_owner(owner: &str, headers: &HeaderMap) -> Result<(), S3Error> {
    let expected = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];
    let others = expected.iter().filter_map(|name| headers.get(*name)).any(|id| id.as_bytes() != owner.as_bytes());
    if others { Err(S3ErrorCode::AccessDenied.into()) } else { Ok(()) }
}

/// HEAD and 304 have no body.
fn error_response(error: &S3Error, method: &Method, resource: &str, id: &str) -> Response<Body> {
    let mut response = Response::builder().status(error.status());
    for (name, value) in error.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response = response.header(*name, value);
        }
    }
    if error.code() == S3ErrorCode::SlowDown || error.code() == S3ErrorCode::ServiceUnavailable {
        response = response.header(RETRY_AFTER, "1");
    }
    let bodiless = method == Method::HEAD || error.status() == StatusCode::NOT_MODIFIED;
    let body = if bodiless { Body::empty() } else { Body::from(error_document(error, resource, id, id)) };
    if !bodiless {
        response = response.header(CONTENT_TYPE, respond::XML);
    }
    response.body(body).unwrap_or_else(|_| Response::new(Body::empty()))
}
