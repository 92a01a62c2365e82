//! How a request's body is signed, as `x-amz-content-sha256` states it.

use std::borrow::Cow;

/// The SHA-256 of no bytes, in hex.
pub const EMPTY_SHA256_HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const STREAMING_SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const STREAMING_SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const STREAMING_UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// A text that is neither a SHA-256 in hex nor one of the defined words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
     STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value."
)]
pub struct PayloadModeError;

/// How the signature covers the body. Source: S3 API reference, "Authorization header", `x-amz-content-sha256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadMode {
    /// Not at all.
    Unsigned,
    /// By its SHA-256.
    Sha256([u8; 32]),
    /// Chunk by chunk.
    StreamingSigned,
    /// Chunk by chunk, followed by a signed trailer.
    StreamingSignedTrailer,
    /// Chunks without signatures, followed by a trailer with a checksum.
    StreamingUnsignedTrailer,
}

impl PayloadMode {
    pub fn parse(text: &str) -> Result<Self, PayloadModeError> {
        match text {
            UNSIGNED => Ok(Self::Unsigned),
            STREAMING_SIGNED => Ok(Self::StreamingSigned),
            STREAMING_SIGNED_TRAILER => Ok(Self::StreamingSignedTrailer),
            STREAMING_UNSIGNED_TRAILER => Ok(Self::StreamingUnsignedTrailer),
            _ => {
                let mut digest = [0; 32];
                hex::decode_to_slice(text, &mut digest).map_err(|_| PayloadModeError)?;
                Ok(Self::Sha256(digest))
            }
        }
    }

    pub fn header_value(&self) -> Cow<'static, str> {
        match self {
            Self::Unsigned => UNSIGNED.into(),
            Self::Sha256(digest) => hex::encode(digest).into(),
            Self::StreamingSigned => STREAMING_SIGNED.into(),
            Self::StreamingSignedTrailer => STREAMING_SIGNED_TRAILER.into(),
            Self::StreamingUnsignedTrailer => STREAMING_UNSIGNED_TRAILER.into(),
        }
    }

    /// The mode of a body that is in memory.
    pub fn of(body: &[u8]) -> Self {
        use sha2::Digest;
        Self::Sha256(sha2::Sha256::digest(body).into())
    }

    /// Whether the body is in aws-chunked encoding.
    pub fn is_chunked(&self) -> bool {
        matches!(self, Self::StreamingSigned | Self::StreamingSignedTrailer | Self::StreamingUnsignedTrailer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_survives_the_header() {
        for mode in [
            PayloadMode::Unsigned,
            PayloadMode::of(b"x"),
            PayloadMode::StreamingSigned,
            PayloadMode::StreamingSignedTrailer,
            PayloadMode::StreamingUnsignedTrailer,
        ] {
            assert_eq!(PayloadMode::parse(&mode.header_value()), Ok(mode));
        }
        assert_eq!(PayloadMode::of(b"").header_value(), EMPTY_SHA256_HEX);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "unsigned-payload", "abc", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"] {
            assert_eq!(PayloadMode::parse(text), Err(PayloadModeError), "{text}");
        }
    }
}
