//! The headers that are stored with an object and returned with it.

use cairn_core::descriptor::Header;
use cairn_core::limits::USER_METADATA_BYTES_MAX;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::{ObjectVersion, StoredChecksum};
use http::header::{CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::response::Builder;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::http_time::format_http_date;
use super::version::{VERSION_ID, describe_version};
use crate::body::{Checksum, ChecksumAlgorithm, ChecksumType, stored_content_encoding};
use crate::error::{S3Error, S3ErrorCode};

/// The header that names a storage class, in requests and in answers.
pub(crate) const STORAGE_CLASS: &str = "x-amz-storage-class";
const USER_PREFIX: &str = "x-amz-meta-";
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";
/// System headers that are stored as they are sent. `Content-Encoding` is stored without `aws-chunked`.
const SYSTEM: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];
/// Headers that ask for something that is not there yet: refused, because nothing is accepted and then ignored.
const NOT_IMPLEMENTED: [&str; 14] = [
    "x-amz-tagging",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-context",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write-acp",
    "x-amz-write-offset-bytes",
];

/// Collects what is to be stored with an object, and refuses what is not supported.
pub(crate) fn stored_headers(headers: &HeaderMap) -> Result<Vec<Header>, S3Error> {
    refuse_unsupported(headers)?;
    let mut stored = Vec::new();
    let mut user_bytes = 0;
    for (name, value) in headers {
        let name = name.as_str();
        // S3 allows any UTF-8 in user metadata, which HTTP libraries do not call text.
        let text = || String::from_utf8_lossy(value.as_bytes()).into_owned();
        if let Some(user) = name.strip_prefix(USER_PREFIX) {
            user_bytes += user.len() + value.len();
            push_user(&mut stored, name, text());
        } else if SYSTEM.contains(&name) {
            stored.push(Header { name: name.to_owned(), value: text() });
        } else if name == "content-encoding" {
            stored.extend(stored_content_encoding(&text()).map(|value| Header { name: name.to_owned(), value }));
        }
    }
    if user_bytes > USER_METADATA_BYTES_MAX {
        return Err(S3Error::new(S3ErrorCode::MetadataTooLarge)
            .with("Size", user_bytes.to_string())
            .with("MaxSizeAllowed", USER_METADATA_BYTES_MAX.to_string()));
    }
    Ok(stored)
}

/// A repeated user header is one value, separated by commas.
fn push_user(stored: &mut Vec<Header>, name: &str, value: String) {
    match stored.iter_mut().find(|h| h.name == name) {
        Some(header) => {
            header.value.push(',');
            header.value.push_str(&value);
        }
        None => stored.push(Header { name: name.to_owned(), value }),
    }
}

/// Refuses headers that ask for what is not implemented.
pub(crate) fn refuse_unsupported(headers: &HeaderMap) -> Result<(), S3Error> {
    if let Some(name) = NOT_IMPLEMENTED.iter().find(|name| headers.contains_key(**name)) {
        return Err(S3Error::not_implemented(*name));
    }
    // Everything belongs to the root user, so these two change nothing; the others would grant access.
    match headers.get("x-amz-acl").map(|value| String::from_utf8_lossy(value.as_bytes())).as_deref() {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(S3Error::not_implemented("x-amz-acl")),
    }
}

/// The storage class that a request asks for; `STANDARD` if it names none. A copy without the header is of that class too,
/// whatever its source is of. Source: S3 API reference, CopyObject.
pub(crate) fn requested_storage_class(headers: &HeaderMap) -> Result<StorageClass, S3Error> {
    let Some(value) = headers.get(STORAGE_CLASS) else { return Ok(StorageClass::Standard) };
    let name = String::from_utf8_lossy(value.as_bytes());
    StorageClass::parse(&name)
        .ok_or_else(|| S3Error::new(S3ErrorCode::InvalidStorageClass).with("StorageClassRequested", name.into_owned()))
}

/// Adds what GET and HEAD say of an object: its stored headers, tag, time and version.
pub(crate) fn describe(mut response: Builder, version: &ObjectVersion) -> Builder {
    response = response
        .header(ETAG, format!("\"{}\"", version.etag))
        .header(LAST_MODIFIED, format_http_date(version.last_modified_ms))
        .header("accept-ranges", "bytes");
    response = describe_version(response, VERSION_ID, version.id);
    // Source: S3 API reference, GetObject: the header is there for all classes but this one.
    if version.storage_class != StorageClass::Standard {
        response = response.header(STORAGE_CLASS, version.storage_class.name());
    }
    if !version.headers.iter().any(|h| h.name == CONTENT_TYPE.as_str()) {
        response = response.header(CONTENT_TYPE, DEFAULT_CONTENT_TYPE);
    }
    for header in &version.headers {
        // What came in as a header can go out as one; anything else would be damage, and is left out.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_bytes(header.value.as_bytes()))
        {
            response = response.header(name, value);
        }
    }
    response
}

/// Adds an object's checksum.
pub(crate) fn describe_checksum(response: Builder, checksum: Option<&Checksum>) -> Builder {
    match checksum {
        Some(checksum) => response
            .header(checksum.algorithm.header_name(), &checksum.base64)
            .header("x-amz-checksum-type", checksum.kind.as_str()),
        None => response,
    }
}

/// The checksum as the metadata service keeps it.
pub(crate) fn to_stored(checksum: &Checksum) -> StoredChecksum {
    StoredChecksum {
        algorithm: checksum.algorithm.as_str().to_owned(),
        value: checksum.base64.clone(),
        composite: checksum.kind == ChecksumType::Composite,
    }
}

/// The inverse of [`to_stored`]; nothing for an algorithm that this version does not know.
pub(crate) fn from_stored(stored: &StoredChecksum) -> Option<Checksum> {
    Some(Checksum {
        algorithm: ChecksumAlgorithm::parse(&stored.algorithm)?,
        kind: if stored.composite { ChecksumType::Composite } else { ChecksumType::FullObject },
        base64: stored.value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;
    use cairn_core::id::CommitSequence;
    use cairn_protocol::metadata::content::Content;
    use http::Response;

    use super::*;

    fn requested(class: &'static str) -> Result<StorageClass, S3Error> {
        let mut headers = HeaderMap::new();
        headers.insert(STORAGE_CLASS, HeaderValue::from_static(class));
        requested_storage_class(&headers)
    }

    #[test]
    fn a_request_names_a_class_that_there_is_or_none() {
        assert_eq!(requested_storage_class(&HeaderMap::new()), Ok(StorageClass::Standard));
        for class in StorageClass::ALL {
            assert_eq!(requested(class.name()), Ok(class));
        }
        for other in ["GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "EXPRESS_ONEZONE", "SNOW", "standard", ""] {
            assert_eq!(requested(other).unwrap_err().code(), S3ErrorCode::InvalidStorageClass, "{other:?}");
        }
    }

    #[test]
    fn every_class_but_the_default_is_shown() {
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
            let response = describe(Response::builder(), &version).body(()).unwrap();
            let shown = response.headers().get(STORAGE_CLASS).map(|value| value.to_str().unwrap());
            let expected = (storage_class != StorageClass::Standard).then_some(storage_class.name());
            assert_eq!(shown, expected);
        }
    }
}
