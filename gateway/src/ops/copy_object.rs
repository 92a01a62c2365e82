//! CopyObject.

use axum::body::Body;
use cairn_core::descriptor::Header;
use cairn_protocol::metadata::query::ObjectView;
use http::Response;
use http::header::CONTENT_TYPE;

use super::copy_source::{self, Source};
use super::put_object::{commit_object, described, fail_fast};
use crate::body::ChecksumAlgorithm;
use crate::data::CopySource;
use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call};
use crate::service::conditions::write_precondition;
use crate::service::expiration::describe_expiration;
use crate::service::ingest::{Purpose, ingest_copy};
use crate::service::object_headers::{
    STORAGE_CLASS, from_stored, refuse_unsupported, requested_storage_class, stored_headers,
};
use crate::service::respond;
use crate::service::version::{COPY_SOURCE_VERSION_ID, describe_made, describe_version};
use crate::xml::copy_object_result;

pub(crate) async fn handle(call: Call) -> Answer {
    let (bucket, key) = (call.bucket()?, call.key()?);
    let source = copy_source::parse(call.header("x-amz-copy-source").unwrap_or_default())?;
    refuse_unsupported(&call.headers)?;
    let storage_class = requested_storage_class(&call.headers)?;
    let replace = replaces_metadata(&call)?;
    refuse_idle_self_copy(&call, &source, replace)?;
    let precondition = write_precondition(&call.headers);
    fail_fast(&call, &precondition).await?;
    let mut view = copy_source::open(&call, &source, None).await?;
    let headers = if replace { stored_headers(&call.headers)? } else { copied_headers(&view) };
    let checksum = checksum_algorithm(&call, &view)?;
    let located = std::mem::take(&mut view.located);
    let size = view.version.size;
    let reader = match size {
        0 => None,
        _ => Some(call.gateway.data().read(view.version.content, 0..size, located).await?),
    };
    let purpose = Purpose { bucket: &bucket, key: &key, part: None, headers: &headers, storage_class };
    let body = ingest_copy(&call.gateway, &mut CopySource::new(reader), size, purpose, checksum).await?;
    let committed = commit_object(&call, &body, (headers, storage_class), precondition).await?;
    let response = Response::builder().header(CONTENT_TYPE, respond::XML);
    let response = describe_version(response, COPY_SOURCE_VERSION_ID, view.version.id);
    let response = describe_made(response, committed.version);
    let response = describe_expiration(&call, response, described(&committed, &body)).await?;
    let result = copy_object_result(body.etag, committed.last_modified_ms, body.checksum.as_ref());
    respond::finish(response, Body::from(result))
}

fn replaces_metadata(call: &Call) -> Result<bool, S3Error> {
    match call.header("x-amz-tagging-directive") {
        None | Some("COPY") => {}
        Some(_) => return Err(S3Error::not_implemented("x-amz-tagging-directive")),
    }
    match call.header("x-amz-metadata-directive") {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(S3Error::invalid_argument("x-amz-metadata-directive", other, "Unknown metadata directive.")),
    }
}

/// A version that is named is brought back by a copy onto its own key.
fn refuse_idle_self_copy(call: &Call, source: &Source, replace: bool) -> Result<(), S3Error> {
    let same = call.bucket()? == source.bucket && call.key()? == source.key && source.version.is_none();
    let changes = replace || call.headers.contains_key(STORAGE_CLASS);
    if same && !changes {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing \
                       the object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

/// Everything of the source but its website redirect, which S3 does not copy.
fn copied_headers(view: &ObjectView) -> Vec<Header> {
    view.version.headers.iter().filter(|h| h.name != "x-amz-website-redirect-location").cloned().collect()
}

/// The algorithm that the request names, else that of the source.
fn checksum_algorithm(call: &Call, view: &ObjectView) -> Result<Option<ChecksumAlgorithm>, S3Error> {
    match call.header("x-amz-checksum-algorithm") {
        Some(name) => ChecksumAlgorithm::parse(name).map(Some).ok_or_else(|| {
            S3Error::invalid_argument("x-amz-checksum-algorithm", name, "Checksum algorithm provided is unsupported.")
        }),
        None => Ok(view.version.checksum.as_ref().and_then(from_stored).map(|c| c.algorithm)),
    }
}
