//! What a request is about, before its names are checked.

use cairn_core::name::BucketName;
use http::header::HOST;
use http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

use super::name::{ObjectName, bucket_name, object_key};
use crate::error::{S3Error, S3ErrorCode};

/// The names are unchecked: a request may be refused because of its operation before they are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Service,
    Bucket(String),
    Object { bucket: String, key: String },
}

impl Target {
    /// Parses a path-style request, or a virtual-host style one whose host is `bucket.DOMAIN`.
    pub(crate) fn parse(uri: &Uri, headers: &HeaderMap, domains: &[String]) -> Result<Self, S3Error> {
        let path = percent_decode_str(uri.path()).decode_utf8().map_err(|_| S3ErrorCode::InvalidUri)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        if let Some(bucket) = virtual_host_bucket(headers, domains) {
            return Ok(Self::in_bucket(bucket, path));
        }
        match path.split_once('/').unwrap_or((path, "")) {
            ("", _) => Ok(Self::Service),
            (bucket, key) => Ok(Self::in_bucket(bucket.to_owned(), key)),
        }
    }

    fn in_bucket(bucket: String, key: &str) -> Self {
        if key.is_empty() { Self::Bucket(bucket) } else { Self::Object { bucket, key: key.to_owned() } }
    }

    pub(crate) fn bucket(&self) -> Result<BucketName, S3Error> {
        match self {
            Self::Service => bucket_name(""),
            Self::Bucket(bucket) | Self::Object { bucket, .. } => bucket_name(bucket),
        }
    }

    pub(crate) fn object(&self) -> Result<ObjectName, S3Error> {
        let bucket = self.bucket()?;
        let key = match self {
            Self::Service | Self::Bucket(_) => object_key(""),
            Self::Object { key, .. } => object_key(key),
        };
        Ok(ObjectName { bucket, key: key? })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, path: &str, bucket: Option<&str>, key: Option<&str>) {
        let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        let target = Target::parse(&path.parse().unwrap(), &headers, &["s3.example.org".to_owned()]).unwrap();
        let expected = match (bucket.map(str::to_owned), key.map(str::to_owned)) {
            (None, _) => Target::Service,
            (Some(bucket), None) => Target::Bucket(bucket),
            (Some(bucket), Some(key)) => Target::Object { bucket, key },
        };
        assert_eq!(target, expected, "{host}{path}");
    }

    #[test]
    fn both_styles_name_the_same_object() {
        check("localhost:9000", "/", None, None);
        check("localhost:9000", "//x", None, None);
        check("localhost:9000", "/photos", Some("photos"), None);
        check("localhost:9000", "/photos/", Some("photos"), None);
        check("localhost:9000", "/photos/a%20b/c+d", Some("photos"), Some("a b/c+d"));
        check("localhost:9000", "/photos//x", Some("photos"), Some("/x"));
        check("photos.s3.example.org:9000", "/a/b", Some("photos"), Some("a/b"));
        check("photos.s3.example.org", "/", Some("photos"), None);
        check("s3.example.org", "/photos/a", Some("photos"), Some("a"));
    }

    #[test]
    fn an_invalid_bucket_name_is_found_before_an_invalid_key() {
        let code = |target: Target| target.object().map_err(|e| e.code());
        let long = "k".repeat(1025);
        let object = |bucket: &str, key: &str| Target::Object { bucket: bucket.to_owned(), key: key.to_owned() };
        assert_eq!(code(object("B", &long)), Err(S3ErrorCode::InvalidBucketName));
        assert_eq!(code(object("bucket", &long)), Err(S3ErrorCode::KeyTooLong));
        assert_eq!(code(Target::Bucket("bucket".to_owned())), Err(S3ErrorCode::UserKeyMustBeSpecified));
        assert_eq!(code(Target::Service), Err(S3ErrorCode::InvalidBucketName));
    }
}
