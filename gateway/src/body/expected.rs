//! The digests that a client announces for its body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName};

use super::checksum::{Checksum, ChecksumAlgorithm, ChecksumSet, decode_value};
use super::hasher::BodyDigests;
use super::trailers::Trailers;
use crate::error::{S3Error, S3ErrorCode};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
const SDK_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-sdk-checksum-algorithm");

#[derive(Debug, Clone, PartialEq, Eq)]
enum Declared {
    Header { algorithm: ChecksumAlgorithm, value: Vec<u8> },
    Trailer { algorithm: ChecksumAlgorithm },
}

impl Declared {
    fn algorithm(&self) -> ChecksumAlgorithm {
        match self {
            Self::Header { algorithm, .. } | Self::Trailer { algorithm } => *algorithm,
        }
    }
}

/// The digests that a request's headers announce.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedDigests {
    md5: Option<[u8; 16]>,
    sha256: Option<[u8; 32]>,
    checksum: Option<Declared>,
}

impl ExpectedDigests {
    /// `payload_sha256` is the digest of the body that was signed, if one was.
    pub fn from_headers(headers: &HeaderMap, payload_sha256: Option<[u8; 32]>) -> Result<Self, S3Error> {
        Ok(Self { md5: content_md5(headers)?, sha256: payload_sha256, checksum: declared_checksum(headers)? })
    }

    /// As [`Self::from_headers`], for requests whose `x-amz-checksum-…` is not about the body.
    pub fn without_checksum(headers: &HeaderMap, payload_sha256: Option<[u8; 32]>) -> Result<Self, S3Error> {
        Ok(Self { md5: content_md5(headers)?, sha256: payload_sha256, checksum: None })
    }

    /// The checksum that the client chose, by header or by trailer.
    pub fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.checksum.as_ref().map(Declared::algorithm)
    }

    /// Whether the client sends a digest that covers the body end to end (DeleteObjects demands one).
    pub fn has_integrity_check(&self) -> bool {
        self.md5.is_some() || self.checksum.is_some()
    }

    /// The checksums that [`Self::verify`] compares.
    pub fn wanted(&self) -> ChecksumSet {
        let chosen = self.algorithm().map_or_else(ChecksumSet::default, |a| ChecksumSet::default().with(a));
        if self.sha256.is_some() { chosen.with(ChecksumAlgorithm::Sha256) } else { chosen }
    }

    /// Compares with the computed digests. Returns the checksum that the client chose, to be stored.
    pub fn verify(&self, digests: &BodyDigests, trailers: &Trailers) -> Result<Option<Checksum>, S3Error> {
        if let Some(expected) = &self.sha256
            && digests.value(ChecksumAlgorithm::Sha256) != Some(expected)
        {
            let computed = digests.value(ChecksumAlgorithm::Sha256).unwrap_or_default();
            return Err(S3Error::new(S3ErrorCode::XAmzContentSha256Mismatch)
                .with("ClientComputedContentSHA256", hex::encode(expected))
                .with("S3ComputedContentSHA256", hex::encode(computed)));
        }
        if let Some(expected) = &self.md5
            && digests.md5 != *expected
        {
            return Err(S3Error::new(S3ErrorCode::BadDigest)
                .with("ExpectedDigest", BASE64_STANDARD.encode(expected))
                .with("CalculatedDigest", BASE64_STANDARD.encode(digests.md5)));
        }
        self.verify_checksum(digests, trailers)
    }

    fn verify_checksum(&self, digests: &BodyDigests, trailers: &Trailers) -> Result<Option<Checksum>, S3Error> {
        let in_trailer = match &self.checksum {
            Some(Declared::Trailer { algorithm }) => Some(algorithm.header_name()),
            Some(Declared::Header { .. }) | None => None,
        };
        if trailers.names().any(|name| Some(name) != in_trailer) {
            return Err(S3ErrorCode::MalformedTrailer.into());
        }
        let (algorithm, expected) = match &self.checksum {
            None => return Ok(None),
            Some(Declared::Header { algorithm, value }) => (*algorithm, value.clone()),
            Some(Declared::Trailer { algorithm }) => {
                let value = trailers.get(algorithm.header_name()).ok_or(S3ErrorCode::MalformedTrailer)?;
                (*algorithm, decode_value(*algorithm, value).ok_or_else(|| no_checksum(*algorithm))?)
            }
        };
        if digests.value(algorithm) != Some(expected.as_slice()) {
            let message = format!("The {} you specified did not match the calculated checksum.", algorithm.as_str());
            return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
        }
        Ok(Some(Checksum::full_object(algorithm, &expected)))
    }
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(header) = headers.get(CONTENT_MD5) else { return Ok(None) };
    let decoded = BASE64_STANDARD.decode(header.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let md5 = decoded.ok_or_else(|| {
        S3Error::new(S3ErrorCode::InvalidDigest).with("Content-MD5", String::from_utf8_lossy(header.as_bytes()))
    })?;
    Ok(Some(md5))
}

fn declared_checksum(headers: &HeaderMap) -> Result<Option<Declared>, S3Error> {
    let mut declared = Vec::new();
    for algorithm in ChecksumAlgorithm::ALL {
        for value in headers.get_all(algorithm.header_name()) {
            let value = value.to_str().ok().and_then(|text| decode_value(algorithm, text));
            let value = value.ok_or_else(|| no_checksum(algorithm))?;
            declared.push(Declared::Header { algorithm, value });
        }
    }
    for header in headers.get_all(TRAILER) {
        for name in header.to_str().unwrap_or("?").split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let algorithm = ChecksumAlgorithm::from_header_name(name)
                .ok_or_else(|| invalid_request("The value specified in the x-amz-trailer header is not supported"))?;
            declared.push(Declared::Trailer { algorithm });
        }
    }
    if declared.len() > 1 {
        return Err(invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    let declared = declared.pop();
    check_sdk_algorithm(headers, declared.as_ref().map(Declared::algorithm))?;
    Ok(declared)
}

fn check_sdk_algorithm(headers: &HeaderMap, declared: Option<ChecksumAlgorithm>) -> Result<(), S3Error> {
    let Some(header) = headers.get(SDK_ALGORITHM) else { return Ok(()) };
    let named = header.to_str().unwrap_or_default();
    // SDKs that add Content-MD5 on their own name it here, although it has no header of the x-amz-checksum family.
    if named.eq_ignore_ascii_case("MD5") && headers.contains_key(CONTENT_MD5) {
        return Ok(());
    }
    let named = ChecksumAlgorithm::parse(named).ok_or_else(|| invalid_value(SDK_ALGORITHM.as_str()))?;
    match declared {
        None => Err(invalid_request(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )),
        Some(declared) if declared != named => Err(invalid_value(SDK_ALGORITHM.as_str())),
        Some(_) => Ok(()),
    }
}

/// A text that is not a checksum counts as one that does not match. Source: ceph/s3-tests,
/// `test_object_checksum_sha256`.
fn no_checksum(algorithm: ChecksumAlgorithm) -> S3Error {
    let message = format!("Value for {} header is invalid.", algorithm.header_name());
    S3Error::with_message(S3ErrorCode::BadDigest, message)
}

fn invalid_value(header: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, format!("Value for {header} header is invalid."))
}

fn invalid_request(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::BodyHasher;

    const BODY: &[u8] = b"123456789";
    const CRC32: &str = "y/Q5Jg==";

    /// Collects the digests, hashes `BODY` and verifies; returns the stored checksum.
    fn check(
        pairs: &[(&'static str, &'static str)],
        trailer: &[(&str, &str)],
        expected: Result<Option<&str>, S3ErrorCode>,
    ) {
        let headers = pairs.iter().map(|(name, v)| (HeaderName::from_static(name), v.parse().unwrap())).collect();
        let mut trailers = Trailers::default();
        for (name, value) in trailer {
            trailers.push(name, value);
        }
        let verified = ExpectedDigests::from_headers(&headers, None).and_then(|digests| {
            let mut hasher = BodyHasher::new(digests.wanted());
            hasher.update(BODY);
            digests.verify(&hasher.finish(), &trailers)
        });
        let verified = verified.map(|checksum| checksum.map(|checksum| checksum.base64)).map_err(|error| error.code());
        assert_eq!(verified, expected.map(|value| value.map(str::to_owned)), "{pairs:?} {trailer:?}");
    }

    #[test]
    fn md5_is_compared() {
        check(&[], &[], Ok(None));
        check(&[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")], &[], Ok(None));
        check(&[("content-md5", "XrY7u+Ae7tCTyyK7j1rNww==")], &[], Err(S3ErrorCode::BadDigest));
        check(&[("content-md5", "")], &[], Err(S3ErrorCode::InvalidDigest));
        check(&[("content-md5", "AAAA")], &[], Err(S3ErrorCode::InvalidDigest));
    }

    #[test]
    fn checksums_in_headers_are_compared() {
        check(&[("x-amz-checksum-crc32", CRC32)], &[], Ok(Some(CRC32)));
        check(&[("x-amz-checksum-crc32", CRC32), ("x-amz-sdk-checksum-algorithm", "crc32")], &[], Ok(Some(CRC32)));
        check(&[("x-amz-checksum-crc32", "AAAAAA==")], &[], Err(S3ErrorCode::BadDigest));
        check(&[("x-amz-checksum-crc32", "AAAA")], &[], Err(S3ErrorCode::BadDigest));
        check(&[("x-amz-checksum-sha256", "bad")], &[], Err(S3ErrorCode::BadDigest));
        check(&[("x-amz-checksum-type", "FULL_OBJECT"), ("x-amz-checksum-mode", "ENABLED")], &[], Ok(None));
        let two = [("x-amz-checksum-crc32", CRC32), ("x-amz-checksum-crc32c", CRC32)];
        check(&two, &[], Err(S3ErrorCode::InvalidRequest));
    }

    #[test]
    fn a_checksum_of_something_else_is_ignored() {
        let header = (HeaderName::from_static("x-amz-checksum-sha256"), "AAAA-3".parse().unwrap());
        let expected = ExpectedDigests::without_checksum(&HeaderMap::from_iter([header]), None).unwrap();
        let mut hasher = BodyHasher::new(expected.wanted());
        hasher.update(BODY);
        assert_eq!(expected.verify(&hasher.finish(), &Trailers::default()), Ok(None));
    }

    #[test]
    fn the_sdks_algorithm_needs_a_checksum() {
        check(&[("x-amz-sdk-checksum-algorithm", "CRC32")], &[], Err(S3ErrorCode::InvalidRequest));
        check(&[("x-amz-sdk-checksum-algorithm", "CRC31")], &[], Err(S3ErrorCode::InvalidRequest));
        let other = [("x-amz-checksum-crc32", CRC32), ("x-amz-sdk-checksum-algorithm", "SHA256")];
        check(&other, &[], Err(S3ErrorCode::InvalidRequest));
    }

    #[test]
    fn checksums_in_trailers_are_compared() {
        let announced = [("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-sdk-checksum-algorithm", "CRC32")];
        check(&announced, &[("x-amz-checksum-crc32", CRC32)], Ok(Some(CRC32)));
        check(&announced, &[("x-amz-checksum-crc32", "AAAAAA==")], Err(S3ErrorCode::BadDigest));
        check(&announced, &[("x-amz-checksum-crc32", "?")], Err(S3ErrorCode::BadDigest));
        check(&announced, &[], Err(S3ErrorCode::MalformedTrailer));
        check(&announced, &[("x-amz-checksum-sha1", CRC32)], Err(S3ErrorCode::MalformedTrailer));
        check(&[], &[("x-amz-checksum-crc32", CRC32)], Err(S3ErrorCode::MalformedTrailer));
        check(&[("x-amz-trailer", "x-amz-other")], &[], Err(S3ErrorCode::InvalidRequest));
    }

    #[test]
    fn the_signed_hash_is_compared() {
        let hash = |text: &[u8]| {
            use sha2::Digest;
            let expected = ExpectedDigests::from_headers(&HeaderMap::new(), Some(sha2::Sha256::digest(text).into()));
            let expected = expected.unwrap();
            let mut hasher = BodyHasher::new(expected.wanted());
            hasher.update(BODY);
            expected.verify(&hasher.finish(), &Trailers::default()).map_err(|error| error.code())
        };
        assert_eq!(hash(BODY), Ok(None));
        assert_eq!(hash(b"other"), Err(S3ErrorCode::XAmzContentSha256Mismatch));
    }
}
