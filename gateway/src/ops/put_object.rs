//! PutObject.

use axum::body::Body;
use http::Response;
use http::header::ETAG;

use super::steps::commit_object::{commit_object, described, fail_fast};
use crate::request::call::ObjectCall;
use crate::request::conditions::write_precondition;
use crate::request::ingest::{Purpose, ingest};
use crate::request::object_headers::ObjectProperties;
use crate::response::expiration::describe_expiration;
use crate::response::object::describe_checksum;
use crate::response::respond::{self, Answer};
use crate::response::version::describe_created;

pub(crate) async fn handle(mut call: ObjectCall) -> Answer {
    let ids = call.context.ids()?;
    let properties = ObjectProperties::of_request(&call.request.headers)?;
    let precondition = write_precondition(&call.request.headers);
    fail_fast(&call, &precondition).await?;
    let purpose = Purpose::of_object(&call.object, &properties);
    let algorithm = call.request.checksum_algorithm()?;
    let body = ingest(&call.context, &mut call.request, purpose, algorithm).await?;
    let committed = commit_object(&call, &body, properties, precondition).await?;
    let response = Response::builder().header(ETAG, format!("\"{}\"", body.etag));
    let response = describe_created(response, ids, committed.version);
    let response = describe_expiration(&call.context, &call.object, response, described(&committed, &body)).await;
    respond::finish(describe_checksum(response, body.checksum.as_ref()), Body::empty())
}
