//! A failed request as the client sees it.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

use super::code::S3ErrorCode;

/// Code, message, further elements of the document, and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Error {
    code: S3ErrorCode,
    message: Cow<'static, str>,
    details: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
}

impl S3Error {
    /// An error with its code's own message.
    pub fn new(code: S3ErrorCode) -> Self {
        Self::with_message(code, code.message())
    }

    /// An error with a message that says more than the code's own.
    pub fn with_message(code: S3ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    /// `InvalidArgument` for a named parameter, as AWS reports it.
    pub fn invalid_argument(
        name: impl Into<String>,
        value: impl Into<String>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with_message(S3ErrorCode::InvalidArgument, message)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    /// `NotImplemented` for a header or a parameter that would otherwise be accepted and then ignored.
    pub fn not_implemented(header: impl Into<String>) -> Self {
        let (code, header) = (S3ErrorCode::NotImplemented, header.into());
        // SDKs show the message and no further element.
        Self::with_message(code, format!("{}: {header}", code.message())).with("Header", header)
    }

    /// Adds an element such as `BucketName`, `Key` or `Region` to the document.
    pub fn with(mut self, element: &'static str, value: impl Into<String>) -> Self {
        self.details.push((element, value.into()));
        self
    }

    /// Adds a header to the response, which is all that the response to a HEAD can say.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn code(&self) -> S3ErrorCode {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The value of an added element.
    pub fn detail(&self, element: &str) -> Option<&str> {
        self.details.iter().find(|(name, _)| *name == element).map(|(_, value)| value.as_str())
    }

    /// The added elements, in order.
    pub fn details(&self) -> &[(&'static str, String)] {
        &self.details
    }

    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }
}

impl From<S3ErrorCode> for S3Error {
    fn from(code: S3ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for S3Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_named() {
        let error = S3Error::invalid_argument("max-keys", "-1", "Argument max-keys must be an integer");
        assert_eq!(error.code(), S3ErrorCode::InvalidArgument);
        assert_eq!((error.detail("ArgumentName"), error.detail("ArgumentValue")), (Some("max-keys"), Some("-1")));
        assert_eq!(error.to_string(), "InvalidArgument: Argument max-keys must be an integer");
    }
}
