//! The descriptor in every shard, from which the namespace can be reconstructed (I16).

use minicbor::{Decode, Encode};

use crate::id::{PartNumber, UploadId};
use crate::name::{BucketName, ObjectKey};
use crate::storage_class::StorageClass;

/// Names the object that an extent belongs to, with the headers needed to re-create it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Descriptor {
    /// The bucket.
    #[n(0)]
    pub bucket: BucketName,
    /// The key.
    #[n(1)]
    pub key: ObjectKey,
    /// The multipart upload and the part number, for an extent of a part.
    #[n(2)]
    pub part: Option<PartOf>,
    /// Offset in bytes of this extent in the object, or in the part.
    #[n(3)]
    pub offset: u64,
    /// Bytes of the whole object, or of the whole part.
    #[n(4)]
    pub total_bytes: u64,
    /// When the write began by the gateway's clock, in milliseconds since the Unix epoch. Tells people which of two
    /// versions is newer. No decision depends on it while metadata exists (I20).
    #[n(5)]
    pub written_at_ms: u64,
    /// System and user headers, by their HTTP names in lower case.
    #[n(6)]
    pub headers: Vec<Header>,
    /// Descriptors from before there were classes have none; their objects are `STANDARD`.
    #[n(7)]
    pub storage_class: StorageClass,
}

/// The place of a part in a multipart upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PartOf {
    /// The upload.
    #[n(0)]
    pub upload: UploadId,
    /// The part.
    #[n(1)]
    pub number: PartNumber,
}

/// One stored header of an object: `content-type`, `x-amz-meta-…` and the like.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Name in lower case.
    #[n(0)]
    pub name: String,
    /// The value as it was sent. S3 allows any UTF-8 here.
    #[n(1)]
    pub value: String,
}

impl Descriptor {
    /// The bytes that go into a shard header.
    pub fn to_bytes(&self) -> bytes::Bytes {
        let mut out = Vec::with_capacity(128);
        // Writing to a Vec cannot fail.
        let _ = minicbor::encode(self, &mut out);
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(storage_class: StorageClass) -> Descriptor {
        Descriptor {
            bucket: BucketName::new("photos").unwrap(),
            key: ObjectKey::new("2026/cairn.jpg").unwrap(),
            part: Some(PartOf { upload: UploadId(7), number: PartNumber::new(3).unwrap() }),
            offset: 64 << 20,
            total_bytes: 100 << 20,
            written_at_ms: 1_790_000_000_000,
            headers: vec![Header { name: "content-type".into(), value: "image/jpeg".into() }],
            storage_class,
        }
    }

    #[test]
    fn a_descriptor_reads_back() {
        for class in StorageClass::ALL {
            let descriptor = descriptor(class);
            assert_eq!(minicbor::decode::<Descriptor>(&descriptor.to_bytes()).unwrap(), descriptor);
        }
    }

    /// I16, I30: the golden descriptor. Descriptors from before there were storage classes stay readable, and those of
    /// class STANDARD are encoded as before.
    #[test]
    fn a_descriptor_of_the_default_class_keeps_its_encoding() {
        let golden = b"\xa7\x00\x66photos\x01\x6e2026/cairn.jpg\x02\x82\x07\x03\x03\x1a\x04\x00\x00\x00\x04\x1a\x06\x40\x00\x00\x05\
            \x1b\x00\x00\x01\xa0\xc4\x50\x6c\x00\x06\x81\x82\x6ccontent-type\x6aimage/jpeg";
        let descriptor = descriptor(StorageClass::Standard);
        assert_eq!(descriptor.to_bytes(), golden.as_slice());
        assert_eq!(minicbor::decode::<Descriptor>(golden).unwrap(), descriptor);
    }
}
