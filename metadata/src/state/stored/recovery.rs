//! Stored commands that compare a restored service with the disks.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::DiskNumber;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::AdoptedBody;
use cairn_protocol::metadata::query::{Finding, ReconcileTotals};

use super::macros::stored;

stored!(map AdoptObject {
    0 bucket: BucketName,
    1 key: ObjectKey,
    2 body: AdoptedBody,
    3 etag: ETag,
    4 headers: Vec<Header>,
    5 written_ms: u64,
    6 replaces_unreadable: bool,
    7 storage_class: StorageClass,
});
stored!(array RecordFindings { 0 findings: Vec<Finding>, 1 begins: bool });
stored!(map EndReconciliation { 0 totals: ReconcileTotals, 1 release_below: Option<DiskNumber> });
