//! Commands on multipart uploads.

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
    /// The bucket.
    #[n(0)]
    pub bucket: BucketName,
    /// The key.
    #[n(1)]
    pub key: ObjectKey,
    /// Headers of the object to be.
    #[n(2)]
    pub headers: Vec<Header>,
    /// The checksum algorithm that the client announced, by its S3 name.
    #[n(3)]
    pub checksum_algorithm: Option<String>,
    /// Whether the object's checksum will be one of the parts' checksums (`COMPOSITE`).
    #[n(4)]
    pub checksum_composite: bool,
    /// Storage class of the object to be, by which its parts are coded too.
    #[n(5)]
    pub storage_class: StorageClass,
}

/// Makes a body that is durable on disk a part; an earlier part of the same number goes to reclaim.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CommitPart {
    /// The session that wrote the body.
    #[n(0)]
    pub session: SessionId,
    /// The bucket.
    #[n(1)]
    pub bucket: BucketName,
    /// The key.
    #[n(2)]
    pub key: ObjectKey,
    /// The upload.
    #[n(3)]
    pub upload: UploadId,
    /// The part's number.
    #[n(4)]
    pub number: PartNumber,
    /// The body; nothing for an empty part.
    #[n(5)]
    pub body: Option<PlacedRun>,
    /// MD5 of the part.
    #[n(6)]
    pub etag: ETag,
    /// The verified checksum, where the client sent one.
    #[n(7)]
    pub checksum: Option<StoredChecksum>,
}

/// The part that a commit made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PartCommitted {
    /// Its time of modification, in milliseconds since the Unix epoch.
    #[n(0)]
    pub last_modified_ms: u64,
}

/// Makes the named parts, in that order, the newest version of the key, and ends the upload (I29).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CompleteUpload {
    /// The bucket.
    #[n(0)]
    pub bucket: BucketName,
    /// The key.
    #[n(1)]
    pub key: ObjectKey,
    /// The upload.
    #[n(2)]
    pub upload: UploadId,
    /// The parts in ascending order; those that are not named go to reclaim.
    #[n(3)]
    pub parts: Vec<CompletePart>,
    /// The object's checksum, computed by the gateway from the parts' checksums.
    #[n(4)]
    pub checksum: Option<StoredChecksum>,
    /// The object's entity tag, computed by the gateway from the parts' tags.
    #[n(5)]
    pub etag: ETag,
    /// Checked against the key's newest version.
    #[n(6)]
    pub precondition: Precondition,
}

/// A part as the client names it on completion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CompletePart {
    /// Its number.
    #[n(0)]
    pub number: PartNumber,
    /// The tag that it must have.
    #[n(1)]
    pub etag: ETag,
}

/// The version that a completion made. A repeated completion of the same upload returns the same.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UploadCompleted {
    /// Its place in the order of all commits.
    #[n(0)]
    pub sequence: CommitSequence,
    /// Its entity tag.
    #[n(1)]
    pub etag: ETag,
    /// Its size in bytes.
    #[n(2)]
    pub size: u64,
    /// Its checksum.
    #[n(3)]
    pub checksum: Option<StoredChecksum>,
    /// Its time of modification, in milliseconds since the Unix epoch; a member of an earlier release does not say it.
    #[n(4)]
    pub last_modified_ms: Option<u64>,
    /// The commit that set the bucket's lifecycle rules, if it has any.
    #[n(5)]
    pub lifecycle: Option<CommitSequence>,
    /// Its id; nothing where the bucket never was versioned.
    #[n(6)]
    pub version: Option<VersionId>,
}

/// Ends an upload and moves its parts to reclaim.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AbortUpload {
    /// The bucket.
    #[n(0)]
    pub bucket: BucketName,
    /// The key.
    #[n(1)]
    pub key: ObjectKey,
    /// The upload.
    #[n(2)]
    pub upload: UploadId,
}
