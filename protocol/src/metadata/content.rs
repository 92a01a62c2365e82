//! Objects as the metadata service stores and reports them.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::geometry::Geometry;
use cairn_core::id::{CommitSequence, ExtentId, Generation, ProfileId, UploadId};
use cairn_core::name::ObjectKey;
use cairn_core::shard::Locations;
use cairn_core::storage_class::StorageClass;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

/// A checksum that was verified at upload and is returned with the object.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StoredChecksum {
    /// The S3 name: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
    #[n(0)]
    pub algorithm: String,
    /// In base64. A composite checksum ends with `-` and the number of parts.
    #[n(1)]
    pub value: String,
    /// Whether it covers the checksums of the parts (`COMPOSITE`) and not the bytes (`FULL_OBJECT`).
    #[n(2)]
    pub composite: bool,
}

/// Extents with consecutive ids that hold a body's bytes in order. All have `extent_bytes` bytes but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ExtentRun {
    #[n(0)]
    pub first: ExtentId,
    /// Bytes in the body.
    #[n(1)]
    pub size: u64,
    /// Bytes of each extent but the last.
    #[n(2)]
    pub extent_bytes: u64,
}

impl ExtentRun {
    pub fn count(&self) -> u64 {
        self.size.div_ceil(self.extent_bytes.max(1))
    }

    pub fn ids(&self) -> impl Iterator<Item = ExtentId> + use<> {
        let first = self.first;
        (0..self.count()).map(move |n| first.offset(n))
    }
}

/// One extent of a new body.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlacedExtent {
    #[n(0)]
    pub profile: ProfileId,
    #[n(1)]
    pub geometry: Geometry,
    /// A disk per shard. The commit queues missing shards for repair.
    #[n(2)]
    pub locations: Locations,
}

/// A body that is durable on disk and waits for its commit. An empty body has no run.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlacedRun {
    #[n(0)]
    pub run: ExtentRun,
    /// One per extent, in order.
    #[n(1)]
    pub extents: Vec<PlacedExtent>,
}

/// What a reader needs to know of an extent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocatedExtent {
    #[n(0)]
    pub id: ExtentId,
    /// Offset of its first byte in the object.
    #[n(1)]
    pub offset: u64,
    /// `geometry.length` is the extent's size in bytes.
    #[n(2)]
    pub geometry: Geometry,
    /// A disk per shard.
    #[n(3)]
    pub locations: Locations,
    /// Counts changes of the locations.
    #[n(4)]
    pub generation: Generation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Content {
    #[n(0)]
    Empty,
    /// One run of extents.
    #[n(1)]
    Run(#[n(0)] ExtentRun),
    /// The parts of a completed multipart upload, each with its own run.
    #[n(2)]
    Parts(#[n(0)] UploadId),
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectVersion {
    /// Its place in the order of all commits.
    #[n(0)]
    pub sequence: CommitSequence,
    /// In bytes.
    #[n(1)]
    pub size: u64,
    #[n(2)]
    pub etag: ETag,
    /// In milliseconds since the Unix epoch, as the leader proposed it.
    #[n(3)]
    pub last_modified_ms: u64,
    /// To be returned with the object.
    #[n(4)]
    pub headers: Vec<Header>,
    /// `None` if the client sent none.
    #[n(5)]
    pub checksum: Option<StoredChecksum>,
    #[n(6)]
    pub content: Content,
    #[n(7)]
    pub storage_class: StorageClass,
    /// `None` if the bucket was never versioned.
    #[n(8)]
    pub id: Option<VersionId>,
}

/// The newest version of a key, in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListedObject {
    #[n(0)]
    pub key: ObjectKey,
    /// In bytes.
    #[n(1)]
    pub size: u64,
    #[n(2)]
    pub etag: ETag,
    /// In milliseconds since the Unix epoch.
    #[n(3)]
    pub last_modified_ms: u64,
    #[n(4)]
    pub checksum: Option<StoredChecksum>,
    #[n(5)]
    pub storage_class: StorageClass,
}

/// One version of a key, in a listing of versions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListedVersion {
    /// A delete marker has no bytes, and its entity tag has no meaning.
    #[n(0)]
    pub object: ListedObject,
    #[n(1)]
    pub id: VersionId,
    #[n(2)]
    pub is_latest: bool,
    #[n(3)]
    pub is_marker: bool,
}
