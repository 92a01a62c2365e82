//! Stored commands on multipart uploads.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{CommitSequence, PartNumber, SessionId, UploadId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::{CompletePart, Precondition};
use cairn_protocol::metadata::{PlacedRun, StoredChecksum};

use super::macros::stored;

stored!(map CreateUpload {
    0 bucket: BucketName,
    1 key: ObjectKey,
    2 headers: Vec<Header>,
    3 checksum_algorithm: Option<String>,
    4 checksum_composite: bool,
    5 storage_class: StorageClass,
    6 revision: Option<CommitSequence>,
});
stored!(map CommitPart {
    0 session: SessionId,
    1 bucket: BucketName,
    2 key: ObjectKey,
    3 upload: UploadId,
    4 number: PartNumber,
    5 body: Option<PlacedRun>,
    6 etag: ETag,
    7 checksum: Option<StoredChecksum>,
    8 revision: Option<CommitSequence>,
});
stored!(map CompleteUpload {
    0 bucket: BucketName,
    1 key: ObjectKey,
    2 upload: UploadId,
    3 parts: Vec<CompletePart>,
    4 checksum: Option<StoredChecksum>,
    5 etag: ETag,
    6 precondition: Precondition,
    7 revision: Option<CommitSequence>,
});
stored!(map AbortUpload {
    0 bucket: BucketName,
    1 key: ObjectKey,
    2 upload: UploadId,
    3 revision: Option<CommitSequence>,
});
