//! What the head of an answer says.

use http::header::ETAG;
use http::{HeaderMap, StatusCode};

use super::error::{S3Error, ServiceError};
use super::xml::ErrorDocument;

/// The header with the version id of an answer.
pub(super) const VERSION_ID: &str = "x-amz-version-id";

/// The entity tag of an answer, without its quotes.
pub(super) fn etag(headers: &HeaderMap) -> Result<String, S3Error> {
    let value = headers.get(ETAG).and_then(|v| v.to_str().ok()).ok_or(S3Error::Answer("no ETag"))?;
    Ok(value.trim_matches('"').to_owned())
}

/// The error in `document`, or one made from status and headers if there is none (HEAD).
pub(super) fn service_error(status: StatusCode, headers: &HeaderMap, document: &[u8]) -> ServiceError {
    let text = String::from_utf8_lossy(document);
    let error: ErrorDocument = quick_xml::de::from_str(&text).unwrap_or_default();
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let from_head = || header("x-amz-request-id").unwrap_or_default();
    let request_id = if error.request_id.is_empty() { from_head() } else { error.request_id };
    let delete_marker = header(VERSION_ID).filter(|_| is_delete_marker(headers));
    ServiceError { status, code: error.code, message: error.message, request_id, delete_marker }
}

/// Whether the answer is for a delete marker.
pub(super) fn is_delete_marker(headers: &HeaderMap) -> bool {
    headers.get("x-amz-delete-marker").is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_error_is_read_from_its_document_or_from_the_status() {
        let document = br#"<?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>NoSuchKey</Code><Message>No &amp; never.</Message><Key>k</Key><RequestId>7</RequestId></Error>"#;
        let error = service_error(StatusCode::NOT_FOUND, &HeaderMap::new(), document);
        assert_eq!(error.to_string(), "404 NoSuchKey: No & never. (request 7)");
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-request-id", HeaderValue::from_static("8"));
        assert_eq!(service_error(StatusCode::NOT_FOUND, &headers, b"").to_string(), "404 (request 8)");
        headers.insert("x-amz-version-id", HeaderValue::from_static("9"));
        for (told, expected) in [("false", None), ("true", Some("9"))] {
            headers.insert("x-amz-delete-marker", HeaderValue::from_static(told));
            let error = service_error(StatusCode::NOT_FOUND, &headers, b"");
            assert_eq!(error.delete_marker.as_deref(), expected);
        }
    }
}
