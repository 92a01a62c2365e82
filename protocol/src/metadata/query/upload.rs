//! Queries for multipart uploads.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{CommitSequence, PartNumber, UploadId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

use crate::metadata::content::StoredChecksum;

/// Refused with `NoSuchBucket` or `NoSuchUpload`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetUpload {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub upload: UploadId,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct UploadInfo {
    /// For the finished object.
    #[n(0)]
    pub headers: Vec<Header>,
    /// As the client announced it.
    #[n(1)]
    pub checksum_algorithm: Option<String>,
    /// Whether the object's checksum will be composite.
    #[n(2)]
    pub checksum_composite: bool,
    /// In milliseconds since the Unix epoch.
    #[n(3)]
    pub created_ms: u64,
    /// Of the finished object.
    #[n(4)]
    pub storage_class: StorageClass,
    /// The revision of the bucket's settings: see `BucketRecord`.
    #[n(5)]
    pub revision: CommitSequence,
}

/// In the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListParts {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub upload: UploadId,
    /// Exclusive; 0 for all.
    #[n(3)]
    pub after: u32,
    /// Page size limit.
    #[n(4)]
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PartPage {
    #[n(0)]
    pub upload: UploadInfo,
    #[n(1)]
    pub parts: Vec<ListedPart>,
    #[n(2)]
    pub truncated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListedPart {
    #[n(0)]
    pub number: PartNumber,
    /// In bytes.
    #[n(1)]
    pub size: u64,
    /// The MD5 of the part.
    #[n(2)]
    pub etag: ETag,
    /// In milliseconds since the Unix epoch.
    #[n(3)]
    pub last_modified_ms: u64,
    #[n(4)]
    pub checksum: Option<StoredChecksum>,
}

/// Uploads in the order of their keys, then of their creation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListUploads {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub prefix: String,
    /// As in a listing of objects.
    #[n(2)]
    pub delimiter: String,
    /// Exclusive, except for uploads of this key after [`ListUploads::upload_marker`].
    #[n(3)]
    pub key_marker: String,
    /// See [`ListUploads::key_marker`].
    #[n(4)]
    pub upload_marker: Option<UploadId>,
    /// Page size limit: uploads and common prefixes.
    #[n(5)]
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UploadPage {
    #[n(0)]
    pub uploads: Vec<ListedUpload>,
    /// Including the delimiter.
    #[n(1)]
    pub common_prefixes: Vec<String>,
    /// Markers of the next page, if there is one: the key, and the upload unless this page ended with a common prefix.
    #[n(2)]
    pub next: Option<(String, Option<UploadId>)>,
    /// The revision of the bucket's settings: see `BucketRecord`.
    #[n(3)]
    pub revision: CommitSequence,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListedUpload {
    #[n(0)]
    pub key: ObjectKey,
    #[n(1)]
    pub upload: UploadId,
    /// In milliseconds since the Unix epoch.
    #[n(2)]
    pub created_ms: u64,
    /// As the client announced it.
    #[n(3)]
    pub checksum_algorithm: Option<String>,
    /// Whether the object's checksum will be composite.
    #[n(4)]
    pub checksum_composite: bool,
    /// Of the finished object.
    #[n(5)]
    pub storage_class: StorageClass,
}
