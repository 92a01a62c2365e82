//! Queries for objects.

use std::ops::Range;

use cairn_core::id::{CommitSequence, PartNumber};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::range::ByteRange;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

use crate::metadata::content::{Content, LocatedExtent, ObjectVersion, StoredChecksum};

/// A version of a key, with the first extents of the requested bytes, so that most reads need one query.
///
/// Refused with `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion` or `NoSuchPart`, and with `DeleteMarker` if the version is
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GetObject {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    /// Only this part. An object that was not uploaded in parts is its own part 1.
    #[n(2)]
    pub part: Option<PartNumber>,
    /// The requested bytes. A range that cannot be satisfied locates no extents.
    #[n(3)]
    pub range: Option<ByteRange>,
    /// Limit on the located extents; 0 for HEAD.
    #[n(4)]
    pub extents: u32,
    /// `None` for the newest.
    #[n(5)]
    pub version: Option<VersionId>,
}

/// What a reader needs to know of an object.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectView {
    #[n(0)]
    pub version: ObjectVersion,
    /// The number of parts; `None` if it was not uploaded in parts.
    #[n(1)]
    pub parts: Option<u32>,
    /// The requested part's bytes, as start and end offsets in the object.
    #[n(2)]
    pub part_range: Option<(u64, u64)>,
    /// From the first requested byte on.
    #[n(3)]
    pub located: Vec<LocatedExtent>,
    /// The requested part's checksum, if the object was uploaded in parts and with checksums.
    #[n(4)]
    pub part_checksum: Option<StoredChecksum>,
    /// The commit that set the bucket's lifecycle rules; `None` if it has none.
    #[n(10)]
    pub lifecycle: Option<CommitSequence>,
    /// The revision of the bucket's settings: see `BucketRecord`.
    #[n(11)]
    pub revision: CommitSequence,
}

impl ObjectView {
    /// The requested part's bytes, as offsets in the object.
    pub fn part_bytes(&self) -> Option<Range<u64>> {
        self.part_range.map(|(start, end)| start..end)
    }
}

/// The extents that hold the bytes from `from` on, unless they have been reclaimed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocateExtents {
    #[n(0)]
    pub content: Content,
    /// The first requested byte, as an offset in the object.
    #[n(1)]
    pub from: u64,
    /// Page size limit.
    #[n(2)]
    pub limit: u32,
}

/// Consecutive extents; empty past the end of the object.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocatedPage {
    #[n(0)]
    pub extents: Vec<LocatedExtent>,
}
