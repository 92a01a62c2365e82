//! Commands that change multipart uploads.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{CommitSequence, PartNumber, SessionId, UploadId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

use super::Precondition;
use crate::metadata::content::{PlacedRun, StoredChecksum};

/// Begins a multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CreateUpload {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    /// For the finished object.
    #[n(2)]
    pub headers: Vec<Header>,
    /// The checksum algorithm that the client announced, by its S3 name.
    #[n(3)]
    pub checksum_algorithm: Option<String>,
    /// Whether the object's checksum will be one of the parts' checksums (`COMPOSITE`).
    #[n(4)]
    pub checksum_composite: bool,
    /// Of the finished object. Its parts are coded by it too.
    #[n(5)]
    pub storage_class: StorageClass,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(6)]
    pub revision: Option<CommitSequence>,
}

/// Makes a body that is durable on disk a part. An earlier part of the same number is released.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CommitPart {
    /// The session that wrote the body.
    #[n(0)]
    pub session: SessionId,
    #[n(1)]
    pub bucket: BucketName,
    #[n(2)]
    pub key: ObjectKey,
    #[n(3)]
    pub upload: UploadId,
    #[n(4)]
    pub number: PartNumber,
    /// `None` for an empty part.
    #[n(5)]
    pub body: Option<PlacedRun>,
    /// The MD5 of the part.
    #[n(6)]
    pub etag: ETag,
    /// Verified; `None` if the client sent none.
    #[n(7)]
    pub checksum: Option<StoredChecksum>,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(8)]
    pub revision: Option<CommitSequence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PartCommitted {
    /// In milliseconds since the Unix epoch.
    #[n(0)]
    pub last_modified_ms: u64,
}

/// Makes the named parts, in that order, the newest version of the key, and ends the upload (I29).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CompleteUpload {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub upload: UploadId,
    /// In ascending order. Parts that are not named are released.
    #[n(3)]
    pub parts: Vec<CompletePart>,
    /// Computed by the gateway from the parts' checksums.
    #[n(4)]
    pub checksum: Option<StoredChecksum>,
    /// Computed by the gateway from the parts' tags.
    #[n(5)]
    pub etag: ETag,
    /// Checked against the key's newest version.
    #[n(6)]
    pub precondition: Precondition,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(7)]
    pub revision: Option<CommitSequence>,
}

/// A part as the client names it on completion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CompletePart {
    #[n(0)]
    pub number: PartNumber,
    /// The tag that the uploaded part must have.
    #[n(1)]
    pub etag: ETag,
}

/// The version that a completion made. Repeating the completion returns the same.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UploadCompleted {
    /// Its place in the order of all commits.
    #[n(0)]
    pub sequence: CommitSequence,
    #[n(1)]
    pub etag: ETag,
    /// In bytes.
    #[n(2)]
    pub size: u64,
    #[n(3)]
    pub checksum: Option<StoredChecksum>,
    /// In milliseconds since the Unix epoch. `None` from a member of an earlier release.
    #[n(4)]
    pub last_modified_ms: Option<u64>,
    /// The commit that set the bucket's lifecycle rules; `None` if it has none.
    #[n(5)]
    pub lifecycle: Option<CommitSequence>,
    /// `None` if the bucket was never versioned.
    #[n(6)]
    pub version: Option<VersionId>,
}

/// Ends an upload and releases its parts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AbortUpload {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub upload: UploadId,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(3)]
    pub revision: Option<CommitSequence>,
}
