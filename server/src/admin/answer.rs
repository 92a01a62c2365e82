//! Errors as the admin API answers them: a code for programs and a sentence for people.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use cairn_protocol::metadata::MetadataError;
use serde_json::json;

pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}

/// A parameter that cannot be understood.
pub(super) fn invalid_parameter(why: &dyn std::error::Error) -> Response {
    error(StatusCode::BAD_REQUEST, "InvalidParameter", &why.to_string())
}

/// A failed call to the metadata service.
pub(super) struct AdminError(MetadataError);

impl From<MetadataError> for AdminError {
    fn from(error: MetadataError) -> Self {
        Self(error)
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        match &self.0 {
            MetadataError::Rejected(rejection) => error(StatusCode::CONFLICT, "Refused", &rejection.to_string()),
            other => error(StatusCode::SERVICE_UNAVAILABLE, "MetadataUnavailable", &other.to_string()),
        }
    }
}
