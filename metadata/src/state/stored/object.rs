//! Stored commands on objects.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{CommitSequence, PartNumber, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::VersionId;
use cairn_protocol::metadata::command::Precondition;
use cairn_protocol::metadata::{ExtentRun, PlacedRun, StoredChecksum};

use super::macros::stored;

stored!(map CommitObject {
    0 session: SessionId,
    1 bucket: BucketName,
    2 key: ObjectKey,
    3 body: Option<PlacedRun>,
    4 etag: ETag,
    5 headers: Vec<Header>,
    6 checksum: Option<StoredChecksum>,
    7 precondition: Precondition,
    8 storage_class: StorageClass,
    9 revision: Option<CommitSequence>,
});
stored!(map DeleteObject {
    0 bucket: BucketName,
    1 key: ObjectKey,
    2 precondition: Precondition,
    3 version: Option<VersionId>,
    4 revision: Option<CommitSequence>,
});
stored!(map ReplaceBody {
    0 session: SessionId,
    1 rebalance: CommitSequence,
    2 bucket: BucketName,
    3 key: ObjectKey,
    4 sequence: CommitSequence,
    5 part: Option<PartNumber>,
    6 old: ExtentRun,
    7 body: PlacedRun,
});
