//! What responses say of an object in their headers.

use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::ObjectVersion;
use http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::response::Builder;
use http::{HeaderName, HeaderValue};

use super::version::{VERSION_ID, describe_version};
use crate::body::Checksum;
use crate::client_ids::ClientIds;
use crate::http_date::format_http_date;
use crate::request::object_headers::STORAGE_CLASS;

const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// Adds what GET and HEAD say of an object: its stored headers, entity tag, time and version.
pub(crate) fn describe(mut response: Builder, ids: &ClientIds, version: &ObjectVersion) -> Builder {
    response = response
        .header(ETAG, format!("\"{}\"", version.etag))
        .header(LAST_MODIFIED, format_http_date(version.last_modified_ms))
        .header("accept-ranges", "bytes");
    response = describe_version(response, ids, VERSION_ID, version.id);
    // Source: S3 API reference, GetObject: the header is sent for all classes except this one.
    if version.storage_class != StorageClass::Standard {
        response = response.header(STORAGE_CLASS, version.storage_class.name());
    }
    if !version.headers.iter().any(|h| h.name == CONTENT_TYPE.as_str()) {
        response = response.header(CONTENT_TYPE, DEFAULT_CONTENT_TYPE);
    }
    for header in &version.headers {
        // What came in as a header can go out as one. Anything else would be damage, and is left out.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_bytes(header.value.as_bytes()))
        {
            response = response.header(name, value);
        }
    }
    response
}

pub(crate) fn describe_checksum(response: Builder, checksum: Option<&Checksum>) -> Builder {
    match checksum {
        Some(checksum) => response
            .header(checksum.algorithm.header_name(), &checksum.base64)
            .header("x-amz-checksum-type", checksum.kind.as_str()),
        None => response,
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;
    use cairn_core::id::CommitSequence;
    use cairn_protocol::metadata::content::Content;
    use http::Response;

    use super::*;

    #[test]
    fn every_class_except_the_default_is_shown() {
        for storage_class in StorageClass::ALL {
            let version = ObjectVersion {
                sequence: CommitSequence(1),
                size: 0,
                etag: ETag::single([1; 16]),
                last_modified_ms: 0,
                headers: Vec::new(),
                checksum: None,
                content: Content::Empty,
                storage_class,
                id: None,
            };
            let response = describe(Response::builder(), &ClientIds::of_tests(), &version).body(()).unwrap();
            let shown = response.headers().get(STORAGE_CLASS).map(|value| value.to_str().unwrap());
            let expected = (storage_class != StorageClass::Standard).then_some(storage_class.name());
            assert_eq!(shown, expected);
        }
    }
}
