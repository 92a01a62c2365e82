//! The document of an error.

use super::writer::XmlWriter;
use crate::error::S3Error;

/// Must not be sent in response to HEAD, nor with 304. Source: S3 API reference, "Error responses".
pub fn error_document(error: &S3Error, resource: &str, request_id: &str, host_id: &str) -> String {
    XmlWriter::bare_document("Error", |xml| {
        xml.text("Code", error.code().as_str());
        xml.text("Message", error.message());
        for (element, value) in error.details() {
            xml.text(element, value);
        }
        xml.text("Resource", resource);
        xml.text("RequestId", request_id);
        xml.text("HostId", host_id);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::S3ErrorCode;

    #[test]
    fn the_document_has_the_elements_in_aws_order() {
        let error = S3Error::new(S3ErrorCode::NoSuchKey).with("Key", "a<b");
        assert_eq!(
            error_document(&error, "/bucket/a<b", "4442587FB7D0A2F9", "h"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&lt;b</Key>\
             <Resource>/bucket/a&lt;b</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>h</HostId></Error>"
        );
    }
}
