//! CopyObject.

use axum::body::Body;
use cairn_core::descriptor::Header;
use cairn_protocol::metadata::query::ObjectView;
use http::Response;
use http::header::CONTENT_TYPE;

use super::steps::commit_object::{commit_object, described, fail_fast};
use super::steps::copy_source::{self, Source};
use crate::body::{Checksum, ChecksumAlgorithm};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::ObjectCall;
use crate::request::conditions::write_precondition;
use crate::request::incoming::Incoming;
use crate::request::ingest::{Purpose, ingest_copy};
use crate::request::object_headers::{
    ObjectProperties, STORAGE_CLASS, refuse_grants, requested_storage_class, stored_headers,
};
use crate::response::expiration::describe_expiration;
use crate::response::respond::{self, Answer};
use crate::response::version::{COPY_SOURCE_VERSION_ID, describe_created, describe_version};
use crate::xml::copy_object_result;

pub(crate) async fn handle(call: ObjectCall) -> Answer {
    let ObjectCall { context, object, request } = &call;
    let ids = context.ids()?;
    let source = copy_source::parse(ids, request)?;
    refuse_grants(&request.headers)?;
    let storage_class = requested_storage_class(&request.headers)?;
    let replace = replaces_metadata(request)?;
    refuse_idle_self_copy(&call, &source, replace)?;
    let precondition = write_precondition(&request.headers);
    fail_fast(&call, &precondition).await?;
    let mut view = copy_source::open(context, request, &source, None).await?;
    let headers = if replace { stored_headers(&request.headers)? } else { copied_headers(&view) };
    let checksum = checksum_algorithm(request, &view)?;
    let size = view.version.size;
    let mut bytes = copy_source::read(context, &mut view, 0..size).await?;
    let properties = ObjectProperties { headers, storage_class };
    let purpose = Purpose::of_object(object, &properties);
    let body = ingest_copy(context, &mut bytes, size, purpose, checksum).await?;
    let committed = commit_object(&call, &body, properties, precondition).await?;
    let response = Response::builder().header(CONTENT_TYPE, respond::XML);
    let response = describe_version(response, ids, COPY_SOURCE_VERSION_ID, view.version.id);
    let response = describe_created(response, ids, committed.version);
    let response = describe_expiration(context, object, response, described(&committed, &body)).await;
    let result = copy_object_result(body.etag, committed.last_modified_ms, body.checksum.as_ref());
    respond::finish(response, Body::from(result))
}

fn replaces_metadata(request: &Incoming) -> Result<bool, S3Error> {
    match request.header("x-amz-tagging-directive") {
        None | Some("COPY") => {}
        Some(_) => return Err(S3Error::not_implemented("x-amz-tagging-directive")),
    }
    match request.header("x-amz-metadata-directive") {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::invalid_argument("x-amz-metadata-directive", other, "Unknown metadata directive.")),
    }
}

/// Refuses a copy of an object onto itself that would change nothing. A copy of a named version is fine: it makes that
/// version the newest.
fn refuse_idle_self_copy(call: &ObjectCall, source: &Source, replace: bool) -> Result<(), S3Error> {
    let same = call.object == source.object && source.version.is_none();
    let changes = replace || call.request.headers.contains_key(STORAGE_CLASS);
    if same && !changes {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing \
                       the object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

/// All headers of the source except its website redirect, which S3 does not copy.
fn copied_headers(view: &ObjectView) -> Vec<Header> {
    view.version.headers.iter().filter(|h| h.name != "x-amz-website-redirect-location").cloned().collect()
}

/// The algorithm that the request names, else that of the source.
fn checksum_algorithm(request: &Incoming, view: &ObjectView) -> Result<Option<ChecksumAlgorithm>, S3Error> {
    let of_source = || view.version.checksum.as_ref().and_then(Checksum::from_stored).map(|c| c.algorithm);
    Ok(request.checksum_algorithm()?.or_else(of_source))
}
