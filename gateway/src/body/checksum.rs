//! The checksums that S3 verifies, stores and returns.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cairn_protocol::metadata::StoredChecksum;
use crc_fast::CrcAlgorithm;
use sha1::Digest;

/// A checksum algorithm of S3. Source: S3 user guide, "Checking object integrity".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC), four bytes.
    Crc32,
    /// CRC-32C (Castagnoli), four bytes.
    Crc32c,
    /// CRC-64/NVME, eight bytes.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl ChecksumAlgorithm {
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name in documents and in `x-amz-checksum-algorithm`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub const fn header_name(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub const fn element_name(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// Parses a name in upper or lower case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }

    pub fn from_header_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header_name().eq_ignore_ascii_case(name))
    }

    pub const fn value_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The type of a multipart object's checksum if the client names none. Source: S3 user guide, "Full object and
    /// composite checksums".
    pub const fn default_type(self) -> ChecksumType {
        match self {
            Self::Crc64Nvme => ChecksumType::FullObject,
            Self::Crc32 | Self::Crc32c | Self::Sha1 | Self::Sha256 => ChecksumType::Composite,
        }
    }

    /// Whether a multipart object can have a checksum of this kind. Source: as above.
    pub const fn allows(self, kind: ChecksumType) -> bool {
        match kind {
            ChecksumType::FullObject => self.crc().is_some(),
            ChecksumType::Composite => !matches!(self, Self::Crc64Nvme),
        }
    }

    pub(super) const fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self.crc() {
            Some(crc) => self.crc_bytes(crc_fast::checksum(crc, data)),
            None if self == Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            None => sha2::Sha256::digest(data).to_vec(),
        }
    }

    /// A CRC as it is sent: big-endian.
    pub(super) fn crc_bytes(self, value: u64) -> Vec<u8> {
        value.to_be_bytes()[8 - self.value_bytes().min(8)..].to_vec()
    }
}

/// What a checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChecksumType {
    /// The object's bytes.
    FullObject,
    /// The checksums of the parts.
    Composite,
}

impl ChecksumType {
    pub const fn of_multipart(is_composite: bool) -> Self {
        if is_composite { Self::Composite } else { Self::FullObject }
    }

    /// The name in documents and in `x-amz-checksum-type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    /// Parses a name in upper or lower case.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::FullObject, Self::Composite].into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChecksumSet(u8);

impl ChecksumSet {
    pub const fn with(self, algorithm: ChecksumAlgorithm) -> Self {
        Self(self.0 | 1 << algorithm as u8)
    }

    pub const fn contains(self, algorithm: ChecksumAlgorithm) -> bool {
        self.0 & (1 << algorithm as u8) != 0
    }
}

/// A checksum as it is stored and returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    pub algorithm: ChecksumAlgorithm,
    pub kind: ChecksumType,
    /// For a composite checksum followed by `-` and the number of parts.
    pub base64: String,
}

impl Checksum {
    pub fn full_object(algorithm: ChecksumAlgorithm, value: &[u8]) -> Self {
        Self { algorithm, kind: ChecksumType::FullObject, base64: BASE64_STANDARD.encode(value) }
    }

    /// As the metadata service keeps it.
    pub fn to_stored(&self) -> StoredChecksum {
        StoredChecksum {
            algorithm: self.algorithm.as_str().to_owned(),
            value: self.base64.clone(),
            composite: self.kind == ChecksumType::Composite,
        }
    }

    /// The inverse of [`Self::to_stored`]; `None` for an algorithm that this version does not know.
    pub fn from_stored(stored: &StoredChecksum) -> Option<Self> {
        Some(Self {
            algorithm: ChecksumAlgorithm::parse(&stored.algorithm)?,
            kind: ChecksumType::of_multipart(stored.composite),
            base64: stored.value.clone(),
        })
    }

    /// The value of a full-object checksum; `None` for a composite one, and for a value of the wrong length.
    pub fn value(&self) -> Option<Vec<u8>> {
        (self.kind == ChecksumType::FullObject).then(|| decode_value(self.algorithm, &self.base64)).flatten()
    }

    /// The composite checksum of parts, from the values of their checksums in order.
    pub fn composite<'a>(algorithm: ChecksumAlgorithm, part_values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut concatenated, mut parts) = (Vec::new(), 0_usize);
        for value in part_values {
            concatenated.extend_from_slice(value);
            parts += 1;
        }
        let base64 = format!("{}-{parts}", BASE64_STANDARD.encode(algorithm.digest(&concatenated)));
        Self { algorithm, kind: ChecksumType::Composite, base64 }
    }

    /// The full-object checksum of parts, from the values of their checksums and their lengths in bytes, in order.
    /// `None` for an algorithm that cannot be combined: only the CRCs can.
    pub fn combined<'a>(
        algorithm: ChecksumAlgorithm,
        parts: impl IntoIterator<Item = (&'a [u8], u64)>,
    ) -> Option<Self> {
        let crc = algorithm.crc()?;
        let number = |value: &[u8]| value.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let mut parts = parts.into_iter();
        let mut combined = parts.next().map_or_else(|| crc_fast::checksum(crc, b""), |(value, _)| number(value));
        for (value, length) in parts {
            combined = crc_fast::checksum_combine(crc, combined, number(value), length);
        }
        Some(Self::full_object(algorithm, &algorithm.crc_bytes(combined)))
    }
}

/// Decodes a value; `None` if it is not base64 or has the wrong length.
pub(super) fn decode_value(algorithm: ChecksumAlgorithm, base64: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(base64).ok().filter(|value| value.len() == algorithm.value_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values over "123456789", from the CRC catalogue and FIPS 180.
    #[test]
    fn values_match_the_standards() {
        for (algorithm, expected) in [
            (ChecksumAlgorithm::Crc32, "cbf43926"),
            (ChecksumAlgorithm::Crc32c, "e3069283"),
            (ChecksumAlgorithm::Crc64Nvme, "ae8b14860a799888"),
            (ChecksumAlgorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (ChecksumAlgorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let value = algorithm.digest(b"123456789");
            assert_eq!(hex::encode(&value), expected);
            assert_eq!(value.len(), algorithm.value_bytes());
            assert_eq!(Checksum::full_object(algorithm, &value).value(), Some(value));
        }
    }

    #[test]
    fn names_round_trip() {
        for algorithm in ChecksumAlgorithm::ALL {
            assert_eq!(ChecksumAlgorithm::parse(&algorithm.as_str().to_lowercase()), Some(algorithm));
            assert_eq!(ChecksumAlgorithm::from_header_name(algorithm.header_name()), Some(algorithm));
            assert!(algorithm.allows(algorithm.default_type()));
        }
        assert_eq!(ChecksumAlgorithm::parse("MD5"), None);
        assert_eq!(ChecksumType::parse("composite"), Some(ChecksumType::Composite));
    }

    #[test]
    fn combining_parts_gives_the_checksum_of_the_whole() {
        let data: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        for algorithm in ChecksumAlgorithm::ALL {
            let parts: Vec<(Vec<u8>, u64)> =
                data.chunks(30_000).map(|part| (algorithm.digest(part), part.len() as u64)).collect();
            let combined =
                Checksum::combined(algorithm, parts.iter().map(|(value, length)| (value.as_slice(), *length)));
            let whole = Checksum::full_object(algorithm, &algorithm.digest(&data));
            assert_eq!(combined, algorithm.crc().map(|_| whole));
        }
    }

    #[test]
    fn a_composite_is_the_checksum_of_checksums() {
        let parts = [ChecksumAlgorithm::Sha256.digest(b"a"), ChecksumAlgorithm::Sha256.digest(b"b")];
        let composite = Checksum::composite(ChecksumAlgorithm::Sha256, parts.iter().map(Vec::as_slice));
        let whole =
            Checksum::full_object(ChecksumAlgorithm::Sha256, &ChecksumAlgorithm::Sha256.digest(&parts.concat()));
        assert_eq!(composite.base64, format!("{}-2", whole.base64));
        assert_eq!(composite.value(), None);
    }
}
