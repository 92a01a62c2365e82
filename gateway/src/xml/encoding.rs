//! `encoding-type` of listings.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::S3Error;

/// Everything but letters, digits, `-._~` and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How a listing writes keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyEncoding {
    /// As they are.
    #[default]
    Raw,
    /// Percent-encoded, if the client asked for `encoding-type=url`.
    Url,
}

impl KeyEncoding {
    /// Parses the query parameter; absent and empty mean the same.
    pub fn parse(parameter: Option<&str>) -> Result<Self, S3Error> {
        match parameter {
            None | Some("") => Ok(Self::Raw),
            Some("url") => Ok(Self::Url),
            Some(other) => {
                Err(S3Error::invalid_argument("encoding-type", other, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    pub fn encode(self, key: &str) -> Cow<'_, str> {
        match self {
            Self::Raw => Cow::Borrowed(key),
            Self::Url => utf8_percent_encode(key, ENCODED).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_aws_does() {
        // From ceph/s3-tests, test_bucket_list_encoding_basic.
        for (key, encoded) in [
            ("foo+1/bar", "foo%2B1/bar"),
            ("quux ab/thud", "quux%20ab/thud"),
            ("asdf+b", "asdf%2Bb"),
            ("\u{1}ü", "%01%C3%BC"),
        ] {
            assert_eq!(KeyEncoding::Url.encode(key), encoded);
            assert_eq!(KeyEncoding::Raw.encode(key), key);
        }
    }

    #[test]
    fn url_is_the_only_known_encoding() {
        assert_eq!(KeyEncoding::parse(None), Ok(KeyEncoding::Raw));
        assert_eq!(KeyEncoding::parse(Some("url")), Ok(KeyEncoding::Url));
        assert!(KeyEncoding::parse(Some("base64")).is_err());
    }
}
