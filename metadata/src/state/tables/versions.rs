//! Current objects, keyed so that one range scan lists a prefix in S3's order. Noncurrent versions are in
//! [`super::noncurrent`], with the same keys and rows.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::{VersionKind, Versioning};
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::{ObjectVersion, StoredChecksum};
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// (bucket, key, complement of the commit sequence) → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("versions");
pub(crate) type Key = (u64, &'static [u8], u64);
pub(crate) type Value = &'static [u8];

/// A version without the fields that its key holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct VersionRow {
    #[n(0)]
    pub(crate) size: u64,
    #[n(1)]
    pub(crate) etag: ETag,
    #[n(2)]
    pub(crate) last_modified_ms: u64,
    #[n(3)]
    pub(crate) content: Content,
    #[n(4)]
    pub(crate) headers: Vec<Header>,
    #[n(5)]
    pub(crate) checksum: Option<StoredChecksum>,
    /// Number of parts the object was completed from.
    #[n(6)]
    pub(crate) parts: Option<u32>,
    /// Absent for `STANDARD`, and in rows older than storage classes.
    #[n(7)]
    pub(crate) storage_class: StorageClass,
    /// Absent for null versions. In buckets that were never versioned all versions are null.
    #[n(8)]
    pub(crate) kind: VersionKind,
}

impl Row for VersionRow {
    const TABLE: &'static str = "versions";
}

impl VersionRow {
    /// The version as readers see it. They get its id if the bucket is or was versioned.
    pub(crate) fn into_version(self, sequence: CommitSequence, versioning: Versioning) -> ObjectVersion {
        ObjectVersion {
            sequence,
            size: self.size,
            etag: self.etag,
            last_modified_ms: self.last_modified_ms,
            headers: self.headers,
            checksum: self.checksum,
            content: self.content,
            storage_class: self.storage_class,
            id: (versioning != Versioning::Unversioned).then(|| self.kind.id(sequence)),
        }
    }
}

pub(crate) fn key(bucket: BucketId, key: &[u8], sequence: CommitSequence) -> (u64, &[u8], u64) {
    (bucket.0, key, !sequence.0)
}

pub(crate) fn newest(
    table: &impl ReadableTable<Key, Value>,
    bucket: BucketId,
    key: &[u8],
) -> Result<Option<(CommitSequence, VersionRow)>, StoreError> {
    match table.range((bucket.0, key, 0)..=(bucket.0, key, u64::MAX))?.next().transpose()? {
        Some((key, row)) => Ok(Some((CommitSequence(!key.value().2), VersionRow::read(row.value())?))),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::id::{ExtentId, SessionId, UploadId};
    use cairn_protocol::metadata::ExtentRun;
    use proptest::prelude::*;

    fn content() -> impl Strategy<Value = Content> {
        prop_oneof![
            Just(Content::Empty),
            any::<u64>().prop_map(|n| Content::Parts(UploadId(n))),
            any::<(u64, u64, u64, u64)>().prop_map(|(session, counter, size, extent_bytes)| {
                Content::Run(ExtentRun { first: ExtentId::new(SessionId(session), counter), size, extent_bytes })
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_row_reads_back(size: u64, md5: [u8; 16], last_modified_ms: u64, content in content(), parts: Option<u32>, value: Option<String>, class in 0..StorageClass::ALL.len(), has_id: bool) {
            let checksum = value.clone().map(|value| StoredChecksum { algorithm: "CRC32".into(), value, composite: true });
            let headers = value.map(|value| Header { name: "content-type".into(), value }).into_iter().collect();
            let (etag, storage_class) = (ETag { md5, parts }, StorageClass::ALL[class]);
            let kind = if has_id { VersionKind::Object } else { VersionKind::Null };
            let row = VersionRow { size, etag, last_modified_ms, content, headers, checksum, parts, storage_class, kind };
            prop_assert_eq!(VersionRow::read(&row.to_bytes()).unwrap(), row);
        }
    }

    #[test]
    fn a_small_object_takes_few_bytes() {
        let run = ExtentRun { first: ExtentId::new(SessionId(9), 70_000), size: 4096, extent_bytes: 64 << 20 };
        let row = VersionRow {
            size: 4096,
            etag: ETag::single([7; 16]),
            last_modified_ms: 1_790_000_000_000,
            content: Content::Run(run),
            headers: Vec::new(),
            checksum: None,
            parts: None,
            storage_class: StorageClass::Standard,
            kind: VersionKind::Null,
        };
        // The golden row: rows on disk stay readable (I30), including rows older than storage classes.
        let golden =
            "851910008150070707070707070707070707070707071b000001a0c4506c008201818382091a000111701910001a0400000080";
        assert_eq!(hex(&row.to_bytes()), golden);
        assert_eq!(VersionRow::read(&row.to_bytes()).unwrap(), row);
        let other = VersionRow { storage_class: StorageClass::GlacierIr, ..row };
        let golden = golden.replacen("85", "88", 1) + "f6f605";
        assert_eq!(hex(&other.to_bytes()), golden, "only what is not STANDARD takes room for its class");
        let marker = VersionRow { storage_class: StorageClass::Standard, kind: VersionKind::Marker, ..other };
        let golden = golden.replacen("88", "89", 1).replacen("f6f605", "f6f60003", 1);
        assert_eq!(hex(&marker.to_bytes()), golden);
        assert_eq!(VersionRow::read(&marker.to_bytes()).unwrap(), marker);
    }

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write;
        bytes.iter().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }
}
