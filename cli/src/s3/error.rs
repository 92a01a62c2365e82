//! What can come back instead of an answer.

use cairn_protocol::sigv4::SignError;
use http::StatusCode;

use crate::http::ConnectionError;

/// An S3 error document, or what stands for it where an answer has no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// The status.
    pub status: StatusCode,
    /// S3's error code; empty where the answer has no document.
    pub code: String,
    /// S3's message.
    pub message: String,
    /// The id under which the server logged the request.
    pub request_id: String,
    /// The version id of the delete marker that stands where an object was asked for.
    pub delete_marker: Option<String>,
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        if !self.code.is_empty() {
            write!(f, " {}: {}", self.code, self.message)?;
        }
        if !self.request_id.is_empty() {
            write!(f, " (request {})", self.request_id)?;
        }
        Ok(())
    }
}

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// The request could not be formed.
    #[error("the request cannot be formed: {0}")]
    Request(#[from] http::Error),
    /// The request could not be signed.
    #[error("the request cannot be signed: {0}")]
    Sign(#[from] SignError),
    /// There was no whole answer.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The server refused or failed.
    #[error("{0}")]
    Service(Box<ServiceError>),
    /// The answer is not what S3 answers.
    #[error("the server's answer is not S3's: {0}")]
    Answer(&'static str),
    /// The answer's document does not parse.
    #[error("the server's answer is not S3's: {0}")]
    Document(#[from] quick_xml::DeError),
}

impl S3Error {
    /// The server's own error, if it gave one.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// S3's error code; empty when the server gave none.
    pub fn code(&self) -> &str {
        self.service().map_or("", |error| error.code.as_str())
    }

    /// The status of the server's answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.service().map(|error| error.status)
    }

    /// Whether a change certainly did not take effect: it was never sent, or it was refused as wrong. After anything
    /// else the outcome is unknown.
    pub fn is_definitely_no(&self) -> bool {
        match self {
            Self::Request(_) | Self::Sign(_) | Self::Connection(ConnectionError::Connect { .. }) => true,
            Self::Service(error) => error.status.is_client_error(),
            Self::Connection(ConnectionError::Broken { .. }) | Self::Answer(_) | Self::Document(_) => false,
        }
    }
}
