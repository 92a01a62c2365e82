//! The digests of a body. Meant to run on a thread of its own: MD5 alone takes 2 ns per byte.

use crc_fast::Digest as CrcDigest;
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::checksum::{Checksum, ChecksumAlgorithm, ChecksumSet};
use crate::data::BodyDigest;

/// Computes the MD5 and the wanted checksums of a body.
#[derive(Clone)]
pub struct BodyHasher {
    length: u64,
    md5: Md5,
    crcs: Vec<(ChecksumAlgorithm, CrcDigest)>,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
}

impl BodyHasher {
    pub fn new(wanted: ChecksumSet) -> Self {
        let crcs = ChecksumAlgorithm::ALL.into_iter().filter(|algorithm| wanted.contains(*algorithm));
        Self {
            length: 0,
            md5: Md5::new(),
            crcs: crcs.filter_map(|algorithm| Some((algorithm, CrcDigest::new(algorithm.crc()?)))).collect(),
            sha1: wanted.contains(ChecksumAlgorithm::Sha1).then(Sha1::new),
            sha256: wanted.contains(ChecksumAlgorithm::Sha256).then(Sha256::new),
        }
    }

    pub fn update(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        self.md5.update(data);
        for (_, crc) in &mut self.crcs {
            crc.update(data);
        }
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(data);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(data);
        }
    }

    pub fn finish(self) -> BodyDigests {
        let mut values: Vec<(ChecksumAlgorithm, Vec<u8>)> = Vec::with_capacity(2);
        for (algorithm, crc) in &self.crcs {
            values.push((*algorithm, algorithm.crc_bytes(crc.finalize())));
        }
        if let Some(sha1) = self.sha1 {
            values.push((ChecksumAlgorithm::Sha1, sha1.finalize().to_vec()));
        }
        if let Some(sha256) = self.sha256 {
            values.push((ChecksumAlgorithm::Sha256, sha256.finalize().to_vec()));
        }
        BodyDigests { length: self.length, md5: self.md5.finalize().into(), values }
    }
}

impl BodyDigest for BodyHasher {
    fn update(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyDigests {
    /// In bytes.
    pub length: u64,
    /// The entity tag of a body that was sent in one piece.
    pub md5: [u8; 16],
    values: Vec<(ChecksumAlgorithm, Vec<u8>)>,
}

impl BodyDigests {
    /// The value of a checksum that was wanted.
    pub fn value(&self, algorithm: ChecksumAlgorithm) -> Option<&[u8]> {
        self.values.iter().find(|(computed, _)| *computed == algorithm).map(|(_, value)| value.as_slice())
    }

    /// A checksum that was wanted, as it is stored.
    pub fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<Checksum> {
        self.value(algorithm).map(|value| Checksum::full_object(algorithm, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_digests_are_computed_over_pieces_of_any_size() {
        for algorithm in ChecksumAlgorithm::ALL {
            let mut hasher = BodyHasher::new(ChecksumSet::default().with(algorithm));
            for piece in [&b"1234"[..], b"", b"56789"] {
                hasher.update(piece);
            }
            let digests = hasher.finish();
            assert_eq!(digests.length, 9);
            assert_eq!(hex::encode(digests.md5), "25f9e794323b453885f5181f1b624d0b");
            for other in ChecksumAlgorithm::ALL {
                assert_eq!(digests.checksum(other).is_some(), other == algorithm);
            }
        }
        let crc = BodyHasher::new(ChecksumSet::default().with(ChecksumAlgorithm::Crc32));
        assert_eq!(crc.finish().checksum(ChecksumAlgorithm::Crc32).unwrap().base64, "AAAAAA==");
    }

    #[test]
    fn the_hasher_moves_between_threads() {
        fn check<T: Send>() {}
        check::<BodyHasher>();
    }
}
