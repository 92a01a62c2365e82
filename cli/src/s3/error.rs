//! Errors of S3 requests.

use cairn_protocol::sigv4::SignError;
use http::StatusCode;

use crate::http::ConnectionError;

/// An S3 error document, or its equivalent for an answer without a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    pub status: StatusCode,
    /// S3's error code; empty without a document.
    pub code: String,
    /// S3's message.
    pub message: String,
    /// The id under which the server logged the request.
    pub request_id: String,
    /// The version id of the delete marker, if the newest version is one.
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
    #[error("the request cannot be formed: {0}")]
    Request(#[from] http::Error),
    #[error("the request cannot be signed: {0}")]
    Sign(#[from] SignError),
    /// The answer did not arrive completely.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The server refused or failed.
    #[error("{0}")]
    Service(Box<ServiceError>),
    /// The answer does not follow S3's protocol.
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

    /// Whether an SDK would send the request again: nothing was answered, or that the service cannot answer at present.
    /// Source: AWS SDKs reference, "Retry behavior", standard mode.
    pub fn may_be_retried(&self) -> bool {
        match self {
            Self::Request(_) | Self::Sign(_) => false,
            Self::Connection(_) | Self::Answer(_) | Self::Document(_) => true,
            Self::Service(error) => error.status.is_server_error(),
        }
    }

    /// Whether a change certainly had no effect: it was never sent, or it was refused. After any other error the
    /// outcome is unknown.
    pub fn is_definitely_no(&self) -> bool {
        match self {
            Self::Request(_) | Self::Sign(_) | Self::Connection(ConnectionError::Connect { .. }) => true,
            Self::Service(error) => error.status.is_client_error(),
            Self::Connection(ConnectionError::Broken { .. }) | Self::Answer(_) | Self::Document(_) => false,
        }
    }
}
