//! Which bucket and key a request is about.

use cairn_core::name::{BucketName, BucketNameError, ObjectKey, ObjectKeyError};
use http::header::HOST;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

use crate::error::{S3Error, S3ErrorCode};

/// The bucket and the key as texts, before they are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
}

impl Target {
    /// Reads a path-style request, or a virtual-host style one whose host is `bucket.DOMAIN`.
    pub(crate) fn parse(uri: &Uri, headers: &HeaderMap, domains: &[String]) -> Result<Self, S3Error> {
        let path = percent_decode_str(uri.path()).decode_utf8().map_err(|_| S3ErrorCode::InvalidUri)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        if let Some(bucket) = virtual_host_bucket(headers, domains) {
            return Ok(Self { bucket: Some(bucket), key: filled(path) });
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Ok(Self { bucket: filled(bucket), key: filled(key) })
    }
}

fn virtual_host_bucket(headers: &HeaderMap, domains: &[String]) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let host = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    let bucket = |domain: &String| host.strip_suffix(domain.as_str()).and_then(|rest| rest.strip_suffix('.'));
    domains.iter().find_map(bucket).map(str::to_owned)
}

/// A bucket name, or the error that AWS gives for it.
pub(crate) fn bucket_name(text: &str) -> Result<BucketName, S3Error> {
    BucketName::new(text).map_err(|e: BucketNameError| {
        S3Error::with_message(S3ErrorCode::InvalidBucketName, format!("The specified bucket is not valid: {e}."))
            .with("BucketName", text)
    })
}

/// An object key, or the error that AWS gives for it.
pub(crate) fn object_key(text: &str) -> Result<ObjectKey, S3Error> {
    ObjectKey::new(text).map_err(|e| match e {
        ObjectKeyError::TooLong(bytes) => S3Error::new(S3ErrorCode::KeyTooLong)
            .with("Size", bytes.to_string())
            .with("MaxSizeAllowed", cairn_core::limits::KEY_BYTES_MAX.to_string()),
        ObjectKeyError::Empty => S3ErrorCode::UserKeyMustBeSpecified.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, path: &str, bucket: Option<&str>, key: Option<&str>) {
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        let target = Target::parse(&path.parse().unwrap(), &headers, &["s3.example.org".to_owned()]).unwrap();
        assert_eq!(target, Target { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned) }, "{host}{path}");
    }

    #[test]
    fn both_styles_name_the_same_object() {
        check("localhost:9000", "/", None, None);
        check("localhost:9000", "/photos", Some("photos"), None);
        check("localhost:9000", "/photos/", Some("photos"), None);
        check("localhost:9000", "/photos/a%20b/c+d", Some("photos"), Some("a b/c+d"));
        check("localhost:9000", "/photos//x", Some("photos"), Some("/x"));
        check("photos.s3.example.org:9000", "/a/b", Some("photos"), Some("a/b"));
        check("s3.example.org", "/photos/a", Some("photos"), Some("a"));
    }
}
