//! Entity tags.

use std::fmt;

use minicbor::{Decode, Encode};

/// An object's entity tag. Source: S3 API reference, "Object": the MD5 of the bytes, or for a multipart object the MD5
/// of the parts' MD5s with the number of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct ETag {
    /// MD5 of the bytes, or of the concatenated MD5s of the parts.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub md5: [u8; 16],
    /// Number of parts for a multipart object.
    #[n(1)]
    pub parts: Option<u32>,
}

impl ETag {
    /// The tag of an object that was not uploaded in parts.
    pub const fn single(md5: [u8; 16]) -> Self {
        Self { md5, parts: None }
    }

    /// Parses a tag with or without quotes and a weakness mark. `None` if no object here can have such a tag.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
        let (digest, parts) = match text.split_once('-') {
            Some((digest, parts)) => (digest, Some(parts.parse().ok()?)),
            None => (text, None),
        };
        let mut md5 = [0; 16];
        hex::decode_to_slice(digest, &mut md5).ok()?;
        Some(Self { md5, parts })
    }
}

impl fmt::Display for ETag {
    /// Without quotes: `9b2cf535f27731c974343645a3985328-2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.md5))?;
        self.parts.map_or(Ok(()), |n| write!(f, "-{n}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_read_back_in_every_spelling() {
        for tag in [ETag::single([0xab; 16]), ETag { md5: [1; 16], parts: Some(12) }] {
            assert_eq!(ETag::parse(&tag.to_string()), Some(tag));
            assert_eq!(ETag::parse(&format!("\"{tag}\"")), Some(tag));
        }
        assert_eq!(ETag::parse("*"), None);
        assert_eq!(ETag::parse("abc"), None);
    }
}
