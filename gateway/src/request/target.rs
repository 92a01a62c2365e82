//! What a request is about, before its names are checked.

use cairn_core::name::BucketName;
use http::Uri;
use percent_encoding::percent_decode_str;

use super::host::Style;
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
    /// Parses the path of a request whose host is in `style`.
    pub(crate) fn parse(uri: &Uri, style: Style) -> Result<Self, S3Error> {
        let path = percent_decode_str(uri.path()).decode_utf8().map_err(|_| S3ErrorCode::InvalidUri)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        match style {
            Style::VirtualHost { bucket } => Ok(Self::in_bucket(bucket, path)),
            Style::Path if path.is_empty() => Ok(Self::Service),
            Style::Path => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                Ok(Self::in_bucket(bucket.to_owned(), key))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(style: Style, path: &str, bucket: Option<&str>, key: Option<&str>) {
        let target = Target::parse(&path.parse().unwrap(), style.clone()).unwrap();
        let expected = match (bucket.map(str::to_owned), key.map(str::to_owned)) {
            (None, _) => Target::Service,
            (Some(bucket), None) => Target::Bucket(bucket),
            (Some(bucket), Some(key)) => Target::Object { bucket, key },
        };
        assert_eq!(target, expected, "{style:?} {path}");
    }

    #[test]
    fn both_styles_name_the_same_object() {
        check(Style::Path, "/", None, None);
        check(Style::Path, "//", Some(""), None);
        check(Style::Path, "//photos/x", Some(""), Some("photos/x"));
        check(Style::Path, "/photos", Some("photos"), None);
        check(Style::Path, "/photos/", Some("photos"), None);
        check(Style::Path, "/photos/a%20b/c+d", Some("photos"), Some("a b/c+d"));
        check(Style::Path, "/photos//x", Some("photos"), Some("/x"));
        let photos = || Style::VirtualHost { bucket: "photos".to_owned() };
        check(photos(), "/a/b", Some("photos"), Some("a/b"));
        check(photos(), "//x", Some("photos"), Some("/x"));
        check(photos(), "/", Some("photos"), None);
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
