//! Queries on objects.

use std::ops::Range;

use cairn_core::id::{CommitSequence, PartNumber};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::range::ByteRange;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

use crate::metadata::content::{Content, LocatedExtent, ObjectVersion, StoredChecksum};

/// A version of a key, with the first extents of what is asked for, so that most reads need one query.
///
/// Refused with `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `NoSuchPart`, or with `DeleteMarker` if that is what the
/// version is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GetObject {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    /// Only this part; part 1 of an object that was not uploaded in parts is the object.
    #[n(2)]
    pub part: Option<PartNumber>,
    /// The bytes wanted; a range that cannot be satisfied locates nothing.
    #[n(3)]
    pub range: Option<ByteRange>,
    /// Extents to locate at most: zero for HEAD.
    #[n(4)]
    pub extents: u32,
    /// The version; the newest if nothing is said.
    #[n(5)]
    pub version: Option<VersionId>,
}

/// An object as a reader needs it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectView {
    #[n(0)]
    pub version: ObjectVersion,
    /// How many parts it was uploaded in, if it was.
    #[n(1)]
    pub parts: Option<u32>,
    /// The bytes of the part that was asked for, as offsets in the object.
    #[n(2)]
    pub part_range: Option<(u64, u64)>,
    /// The extents from the start of the range (or part) on.
    #[n(3)]
    pub located: Vec<LocatedExtent>,
    /// The checksum of the part that was asked for, if the object was uploaded in parts and with checksums.
    #[n(4)]
    pub part_checksum: Option<StoredChecksum>,
    /// The commit that set the bucket's lifecycle rules; `None` if it has none.
    #[n(10)]
    pub lifecycle: Option<CommitSequence>,
}

impl ObjectView {
    /// The bytes of the part that was asked for.
    pub fn part_bytes(&self) -> Option<Range<u64>> {
        self.part_range.map(|(start, end)| start..end)
    }
}

/// The extents that hold the bytes from `from` on. Works for as long as the extents are not reclaimed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocateExtents {
    /// The object's content.
    #[n(0)]
    pub content: Content,
    /// First byte wanted, as an offset in the object.
    #[n(1)]
    pub from: u64,
    /// Extents at most.
    #[n(2)]
    pub limit: u32,
}

/// Consecutive extents; none past the end of the object.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocatedPage {
    #[n(0)]
    pub extents: Vec<LocatedExtent>,
}
