//! Multipart uploads in progress.

use cairn_core::descriptor::Header;
use cairn_core::id::{BucketId, CommitSequence, UploadId};
use cairn_core::name::ObjectKey;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::Rejection;
use cairn_protocol::metadata::query::UploadInfo;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::Row;
use crate::error::{Refused, StoreError};

/// (bucket, key, upload) → row. Upload ids grow, so the uploads of a key are in creation order.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("uploads");
pub(crate) type Key = (u64, &'static [u8], u64);
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct UploadRow {
    #[n(0)]
    pub(crate) created_ms: u64,
    #[n(1)]
    pub(crate) headers: Vec<Header>,
    #[n(2)]
    pub(crate) checksum_algorithm: Option<String>,
    #[n(3)]
    pub(crate) checksum_composite: bool,
    /// Absent for `STANDARD`, and in rows older than storage classes.
    #[n(4)]
    pub(crate) storage_class: StorageClass,
}

impl Row for UploadRow {
    const TABLE: &'static str = "uploads";
}

impl UploadRow {
    /// The upload as gateways see it, with the revision of its bucket's settings.
    pub(crate) fn into_info(self, revision: CommitSequence) -> UploadInfo {
        UploadInfo {
            headers: self.headers,
            checksum_algorithm: self.checksum_algorithm,
            checksum_composite: self.checksum_composite,
            created_ms: self.created_ms,
            storage_class: self.storage_class,
            revision,
        }
    }
}

/// Refused with `NoSuchUpload` if there is none.
pub(crate) fn get(
    table: &impl ReadableTable<Key, Value>,
    bucket: BucketId,
    key: &ObjectKey,
    id: UploadId,
) -> Result<UploadRow, Refused> {
    let row = table.get((bucket.0, key.as_str().as_bytes(), id.0))?.ok_or(Rejection::NoSuchUpload)?;
    Ok(UploadRow::read(row.value())?)
}

pub(crate) fn exists(
    table: &impl ReadableTable<Key, Value>,
    bucket: BucketId,
    key: &ObjectKey,
    id: UploadId,
) -> Result<bool, StoreError> {
    Ok(table.get((bucket.0, key.as_str().as_bytes(), id.0))?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I30: the golden row. Rows of the previous release have the class `STANDARD`.
    #[test]
    fn an_upload_of_the_default_class_keeps_its_encoding() {
        let mut row = UploadRow {
            created_ms: 7,
            headers: Vec::new(),
            checksum_algorithm: None,
            checksum_composite: false,
            storage_class: StorageClass::Standard,
        };
        let golden = [0x84, 7, 0x80, 0xf6, 0xf4];
        assert_eq!(row.to_bytes(), golden);
        assert_eq!(UploadRow::read(&golden).unwrap(), row);
        row.storage_class = StorageClass::StandardIa;
        assert_eq!(UploadRow::read(&row.to_bytes()).unwrap(), row);
    }
}
