//! From an HTTP request to its operation, and from the result to an HTTP response.

pub(crate) mod body_stream;
pub(crate) mod call;
pub(crate) mod conditions;
pub(crate) mod expiration;
mod failure;
pub(crate) mod http_time;
pub(crate) mod ingest;
pub(crate) mod object_headers;
mod query;
pub(crate) mod range_header;
pub(crate) mod respond;
mod route;
pub(crate) mod target;
mod unread_body;
pub(crate) mod version;

use axum::body::Body;
use axum::extract::Request;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::auth::{RequestHead, hoist_query_headers};
use crate::error::{S3Error, S3ErrorCode};
use crate::gateway::Gateway;
use call::Call;
use query::Query;
use target::Target;
use unread_body::UnreadBody;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const SERVER: HeaderValue = HeaderValue::from_static("Cairn");

/// Answers one request; never fails.
pub(crate) async fn handle(gateway: Gateway, request: Request) -> Response<Body> {
    let id = gateway.request_id();
    let method = request.method().clone();
    let resource = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let (unread, body) = UnreadBody::watch(&parts.headers, body);
    let mut response = match serve(gateway, parts, body).await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(%method, resource, %error, request = id, "request failed");
            error_response(&error, &method, &resource, &id)
        }
    };
    let reusable = unread.settle().await;
    let headers = response.headers_mut();
    if !reusable {
        headers.insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HOST_ID, value.clone());
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(http::header::SERVER, SERVER);
    response
}

async fn serve(gateway: Gateway, mut parts: Parts, body: Body) -> call::Answer {
    let head = RequestHead { method: &parts.method, uri: &parts.uri, headers: &parts.headers };
    let now = gateway.clock().now();
    let authentication = gateway.authenticator().authenticate(&head, gateway.credentials(), now)?;
    // Without bucket policies nobody but the root user may do anything.
    authentication.caller.access_key()?;
    let query = Query::parse(parts.uri.query())?;
    if authentication.presigned {
        hoist_query_headers(parts.uri.query().unwrap_or_default(), &mut parts.headers);
    }
    let target = Target::parse(&parts.uri, &parts.headers, gateway.domains())?;
    let operation = route::find(&parts.method, &target, &query, &parts.headers)?;
    let call = Call::new(gateway, target, query, parts.headers, authentication.payload, body);
    operation.run(call).await
}

/// The XML document of an error; HEAD and 304 have no body.
fn error_response(error: &S3Error, method: &Method, resource: &str, id: &str) -> Response<Body> {
    let mut response = Response::builder().status(error.status());
    for (name, value) in error.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response = response.header(*name, value);
        }
    }
    if error.code() == S3ErrorCode::SlowDown || error.code() == S3ErrorCode::ServiceUnavailable {
        response = response.header("retry-after", "1");
    }
    let bodiless = method == Method::HEAD || error.status() == StatusCode::NOT_MODIFIED;
    let body = if bodiless { Body::empty() } else { Body::from(error.to_xml(resource, id, id)) };
    if !bodiless {
        response = response.header(CONTENT_TYPE, respond::XML);
    }
    response.body(body).unwrap_or_else(|_| Response::new(Body::empty()))
}
