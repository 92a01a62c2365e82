//! S3's errors: the one place where a failure becomes a code, a status and an XML document.

mod code;

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

pub use code::S3ErrorCode;

use crate::xml::XmlWriter;

/// A failed request as the client will see it.
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

    /// `InvalidArgument` for a named parameter, the way AWS reports it.
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
        Self::new(S3ErrorCode::NotImplemented).with("Header", header)
    }

    /// Adds an element such as `BucketName`, `Key` or `Region` to the document.
    pub fn with(mut self, element: &'static str, value: impl Into<String>) -> Self {
        self.details.push((element, value.into()));
        self
    }

    /// Adds a header to the response, which is all that the answer to a HEAD can say.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The code.
    pub fn code(&self) -> S3ErrorCode {
        self.code
    }

    /// What the client is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The value of an added element.
    pub fn detail(&self, element: &str) -> Option<&str> {
        self.details.iter().find(|(name, _)| *name == element).map(|(_, value)| value.as_str())
    }

    /// The headers that go with it.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The document. Not to be sent in answer to HEAD, nor with 304.
    pub fn to_xml(&self, resource: &str, request_id: &str, host_id: &str) -> String {
        XmlWriter::bare_document("Error", |xml| {
            xml.text("Code", self.code.as_str());
            xml.text("Message", &self.message);
            for (element, value) in &self.details {
                xml.text(element, value);
            }
            xml.text("Resource", resource);
            xml.text("RequestId", request_id);
            xml.text("HostId", host_id);
        })
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
    fn the_document_has_the_elements_in_aws_order() {
        let error = S3Error::new(S3ErrorCode::NoSuchKey).with("Key", "a<b");
        assert_eq!(error.status(), StatusCode::NOT_FOUND);
        assert_eq!(
            error.to_xml("/bucket/a<b", "4442587FB7D0A2F9", "h"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&lt;b</Key>\
             <Resource>/bucket/a&lt;b</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>h</HostId></Error>"
        );
    }

    #[test]
    fn arguments_are_named() {
        let error = S3Error::invalid_argument("max-keys", "-1", "Argument max-keys must be an integer");
        assert_eq!(error.code(), S3ErrorCode::InvalidArgument);
        assert_eq!((error.detail("ArgumentName"), error.detail("ArgumentValue")), (Some("max-keys"), Some("-1")));
        assert_eq!(error.to_string(), "InvalidArgument: Argument max-keys must be an integer");
    }
}
