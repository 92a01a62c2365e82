//! How the body of a request frames the bytes of an object.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName};

use super::chunked::{ChunkDecoder, ChunkSigning};
use crate::auth::PayloadAuth;
use crate::error::{S3Error, S3ErrorCode};

const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");

/// Framing of a body, known from its headers.
#[derive(Debug)]
pub enum BodyFraming {
    /// The body is the object. `length` is in bytes; `None` with `Transfer-Encoding: chunked`.
    Plain { length: Option<u64> },
    /// The body is aws-chunked. `length` is that of the object, in bytes.
    Chunked { length: u64, signing: ChunkSigning },
}

impl BodyFraming {
    /// Reads the framing. Like AWS, refuses an aws-chunked body of unknown decoded length, and any other body of
    /// unknown length unless HTTP's own chunked encoding frames it, with `MissingContentLength`.
    pub fn from_headers(headers: &HeaderMap, payload: &PayloadAuth) -> Result<Self, S3Error> {
        let signing = match payload {
            PayloadAuth::Unsigned | PayloadAuth::SignedSha256(_) => return Self::plain(headers),
            PayloadAuth::StreamingUnsignedTrailer => ChunkSigning::Unsigned,
            PayloadAuth::StreamingSigned { signer, trailer } => {
                ChunkSigning::Signed { signer: signer.clone(), trailer: *trailer }
            }
        };
        let length = number(headers, &DECODED_LENGTH)?.ok_or(S3ErrorCode::MissingContentLength)?;
        Ok(Self::Chunked { length, signing })
    }

    fn plain(headers: &HeaderMap) -> Result<Self, S3Error> {
        let length = number(headers, &CONTENT_LENGTH)?;
        if length.is_none() && !headers.contains_key(TRANSFER_ENCODING) {
            return Err(S3ErrorCode::MissingContentLength.into());
        }
        Ok(Self::Plain { length })
    }

    /// Bytes of the object, if the client announced them.
    pub fn object_length(&self) -> Option<u64> {
        match self {
            Self::Plain { length } => *length,
            Self::Chunked { length, .. } => Some(*length),
        }
    }

    pub(super) fn decoder(self) -> Result<ChunkDecoder, Option<u64>> {
        match self {
            Self::Plain { length } => Err(length),
            Self::Chunked { length, signing } => Ok(ChunkDecoder::new(signing, length)),
        }
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, S3Error> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let number = text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let number = number.ok_or_else(|| S3Error::invalid_argument(name.as_str(), text, "The length is not a number"))?;
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        pairs: &[(&'static str, &'static str)],
        payload: &PayloadAuth,
        expected: Result<Option<u64>, S3ErrorCode>,
    ) {
        let headers =
            pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let framing = BodyFraming::from_headers(&headers, payload);
        assert_eq!(framing.map(|f| f.object_length()).map_err(|e| e.code()), expected, "{pairs:?}");
    }

    #[test]
    fn the_length_is_that_of_the_object() {
        let streaming = PayloadAuth::StreamingUnsignedTrailer;
        check(&[("content-length", "7")], &PayloadAuth::Unsigned, Ok(Some(7)));
        check(&[("transfer-encoding", "chunked")], &PayloadAuth::Unsigned, Ok(None));
        check(&[], &PayloadAuth::Unsigned, Err(S3ErrorCode::MissingContentLength));
        check(&[("content-length", "9"), ("x-amz-decoded-content-length", "3")], &streaming, Ok(Some(3)));
        check(&[("content-length", "9")], &streaming, Err(S3ErrorCode::MissingContentLength));
        check(&[("x-amz-decoded-content-length", "-3")], &streaming, Err(S3ErrorCode::InvalidArgument));
        check(&[("content-length", "+3")], &PayloadAuth::Unsigned, Err(S3ErrorCode::InvalidArgument));
        check(&[("content-length", "")], &PayloadAuth::Unsigned, Err(S3ErrorCode::InvalidArgument));
    }
}
