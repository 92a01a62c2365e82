//! Responses that several operations have in common.

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::response::Builder;
use http::{Response, StatusCode};

use crate::error::{S3Error, S3ErrorCode};

/// What an operation answers.
pub(crate) type Answer = Result<Response<Body>, S3Error>;

/// Content type of documents.
pub(crate) const XML: &str = "application/xml";

/// 200 with a document.
pub(crate) fn document(xml: String) -> Answer {
    finish(Response::builder().header(CONTENT_TYPE, XML), Body::from(xml))
}

/// A status without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    finish(Response::builder().status(status), Body::empty())
}

/// Completes a response. Header values that came from stored data were checked when they were added.
pub(crate) fn finish(builder: Builder, body: Body) -> Answer {
    builder.body(body).map_err(|error| {
        tracing::error!(%error, "could not build a response; answering 500");
        S3Error::new(S3ErrorCode::InternalError)
    })
}
