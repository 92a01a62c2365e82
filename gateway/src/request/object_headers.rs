//! What a request says of the object that it creates.

use cairn_core::descriptor::Header;
use cairn_core::limits::USER_METADATA_BYTES_MAX;
use cairn_core::storage_class::StorageClass;
use http::HeaderMap;

use crate::body::stored_content_encoding;
use crate::error::{S3Error, S3ErrorCode};

/// The header that names a storage class, in requests and in responses.
pub(crate) const STORAGE_CLASS: &str = "x-amz-storage-class";
const USER_PREFIX: &str = "x-amz-meta-";
/// System headers that are stored as they are sent. `Content-Encoding` is stored without `aws-chunked`.
const SYSTEM: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];

/// What is stored with an object besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectProperties {
    pub(crate) headers: Vec<Header>,
    pub(crate) storage_class: StorageClass,
}

impl ObjectProperties {
    pub(crate) fn of_request(headers: &HeaderMap) -> Result<Self, S3Error> {
        Ok(Self { headers: stored_headers(headers)?, storage_class: requested_storage_class(headers)? })
    }
}

/// Collects the headers that are stored with an object.
pub(crate) fn stored_headers(headers: &HeaderMap) -> Result<Vec<Header>, S3Error> {
    refuse_grants(headers)?;
    let mut stored = Vec::new();
    let mut user_bytes = 0;
    for (name, value) in headers {
        let name = name.as_str();
        // S3 allows any UTF-8 in user metadata; HTTP libraries accept only ASCII as text.
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

/// Refuses access for others, which is not implemented.
pub(crate) fn refuse_grants(headers: &HeaderMap) -> Result<(), S3Error> {
    // Everything belongs to the root user, so these two change nothing. The others would grant access.
    match headers.get("x-amz-acl").map(|value| String::from_utf8_lossy(value.as_bytes())).as_deref() {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(S3Error::not_implemented("x-amz-acl")),
    }
}

/// The first header that says something of an object, other than its type, which HTTP libraries name for every body.
pub(crate) fn of_an_object(headers: &HeaderMap) -> Option<&'static str> {
    let system = SYSTEM.into_iter().filter(|name| *name != "content-type");
    system.chain(["content-encoding"]).find(|name| headers.contains_key(*name))
}

/// The storage class that a request asks for; `STANDARD` if it names none. That holds for a copy too, whatever the
/// class of its source. Source: S3 API reference, CopyObject.
pub(crate) fn requested_storage_class(headers: &HeaderMap) -> Result<StorageClass, S3Error> {
    let Some(value) = headers.get(STORAGE_CLASS) else { return Ok(StorageClass::Standard) };
    let name = String::from_utf8_lossy(value.as_bytes());
    StorageClass::parse(&name)
        .ok_or_else(|| S3Error::new(S3ErrorCode::InvalidStorageClass).with("StorageClassRequested", name.into_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn requested(class: &'static str) -> Result<StorageClass, S3Error> {
        let mut headers = HeaderMap::new();
        headers.insert(STORAGE_CLASS, HeaderValue::from_static(class));
        requested_storage_class(&headers)
    }

    #[test]
    fn a_request_names_a_known_class_or_none() {
        assert_eq!(requested_storage_class(&HeaderMap::new()), Ok(StorageClass::Standard));
        for class in StorageClass::ALL {
            assert_eq!(requested(class.name()), Ok(class));
        }
        for other in ["GLACIER", "DEEP_ARCHIVE", "OUTPOSTS", "EXPRESS_ONEZONE", "SNOW", "standard", ""] {
            assert_eq!(requested(other).unwrap_err().code(), S3ErrorCode::InvalidStorageClass, "{other:?}");
        }
    }
}
