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
    /// The algorithm by its S3 name: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
    #[n(0)]
    pub algorithm: String,
    /// The value in base64; for a composite checksum followed by `-` and the number of parts.
    #[n(1)]
    pub value: String,
    /// Whether it covers the checksums of the parts (`COMPOSITE`) and not the bytes (`FULL_OBJECT`).
    #[n(2)]
    pub composite: bool,
}

/// Extents with consecutive ids that hold a body's bytes in order. All have `extent_bytes` bytes but the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ExtentRun {
    /// The first extent.
    #[n(0)]
    pub first: ExtentId,
    /// Bytes of the body.
    #[n(1)]
    pub size: u64,
    /// Bytes of each extent but the last.
    #[n(2)]
    pub extent_bytes: u64,
}

impl ExtentRun {
    /// Extents in the run.
    pub fn count(&self) -> u64 {
        self.size.div_ceil(self.extent_bytes.max(1))
    }

    /// The extent ids in order.
    pub fn ids(&self) -> impl Iterator<Item = ExtentId> + use<> {
        let first = self.first;
        (0..self.count()).map(move |n| first.offset(n))
    }
}

/// Where one extent of a new body went.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlacedExtent {
    /// The profile it was coded under.
    #[n(0)]
    pub profile: ProfileId,
    /// Its shape.
    #[n(1)]
    pub geometry: Geometry,
    /// A disk per shard; those that are missing are queued for repair by the commit.
    #[n(2)]
    pub locations: Locations,
}

/// A body that is durable on disk and waits for its commit. An empty body has no run.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlacedRun {
    /// The ids and the size.
    #[n(0)]
    pub run: ExtentRun,
    /// One entry per extent, in order.
    #[n(1)]
    pub extents: Vec<PlacedExtent>,
}

/// One extent as a reader needs it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocatedExtent {
    /// The extent.
    #[n(0)]
    pub id: ExtentId,
    /// Offset of its first byte in the object.
    #[n(1)]
    pub offset: u64,
    /// Its shape; `geometry.length` is its number of bytes.
    #[n(2)]
    pub geometry: Geometry,
    /// A disk per shard.
    #[n(3)]
    pub locations: Locations,
    /// Changes of the locations so far.
    #[n(4)]
    pub generation: Generation,
}

/// Where an object's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Content {
    /// No bytes.
    #[n(0)]
    Empty,
    /// One run of extents.
    #[n(1)]
    Run(#[n(0)] ExtentRun),
    /// The parts of a completed multipart upload, each a run of its own.
    #[n(2)]
    Parts(#[n(0)] UploadId),
}

/// One version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectVersion {
    /// When it was committed, in the order of the log.
    #[n(0)]
    pub sequence: CommitSequence,
    /// Bytes.
    #[n(1)]
    pub size: u64,
    /// Entity tag.
    #[n(2)]
    pub etag: ETag,
    /// Milliseconds since the Unix epoch, as the leader proposed it.
    #[n(3)]
    pub last_modified_ms: u64,
    /// System and user headers to return.
    #[n(4)]
    pub headers: Vec<Header>,
    /// The checksum, where the client sent one.
    #[n(5)]
    pub checksum: Option<StoredChecksum>,
    /// Where the bytes are.
    #[n(6)]
    pub content: Content,
    /// Storage class.
    #[n(7)]
    pub storage_class: StorageClass,
    /// Its id; nothing where the bucket never was versioned.
    #[n(8)]
    pub id: Option<VersionId>,
}

/// A version with its key, in listings.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListedObject {
    /// The key.
    #[n(0)]
    pub key: ObjectKey,
    /// Bytes.
    #[n(1)]
    pub size: u64,
    /// Entity tag.
    #[n(2)]
    pub etag: ETag,
    /// Milliseconds since the Unix epoch.
    #[n(3)]
    pub last_modified_ms: u64,
    /// The checksum's algorithm, where there is one, and whether it is composite.
    #[n(4)]
    pub checksum: Option<StoredChecksum>,
    /// Storage class.
    #[n(5)]
    pub storage_class: StorageClass,
}

/// A version in a listing of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListedVersion {
    /// What a listing of objects says. A delete marker has no bytes, and an entity tag that says nothing.
    #[n(0)]
    pub object: ListedObject,
    /// Its id.
    #[n(1)]
    pub id: VersionId,
    /// Whether it is the newest of its key.
    #[n(2)]
    pub is_latest: bool,
    /// Whether it is a delete marker.
    #[n(3)]
    pub is_marker: bool,
}
