//! Buckets by name: one record each, with their small settings. Documents are in [`super::bucket_settings`].

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::name::BucketName;
use cairn_core::version::Versioning;
use cairn_protocol::metadata::Rejection;
use cairn_protocol::metadata::settings::{BucketRecord, DocumentStamp, SettingKind, stamp_of};
use minicbor::{Decode, Encode};
use redb::{ReadableTable, Table, TableDefinition};

use super::Row;
use crate::error::{Refused, StoreError};

/// Name → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("buckets");
pub(crate) type Key = &'static [u8];
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BucketRow {
    #[n(0)]
    pub(crate) id: BucketId,
    #[n(1)]
    pub(crate) created_ms: u64,
    #[n(2)]
    pub(crate) region: String,
    /// The commit that last changed a setting; the one that created the bucket if none did.
    #[n(3)]
    pub(crate) revision: CommitSequence,
    /// Left out for a bucket that was never versioned.
    #[n(4)]
    pub(crate) versioning: Versioning,
    /// The documents that the bucket has, in the order of their kinds.
    #[n(5)]
    pub(crate) documents: Vec<DocumentStamp>,
}

impl Row for BucketRow {
    const TABLE: &'static str = "buckets";
}

impl BucketRow {
    /// A bucket that commit `created` creates, with every setting at its default.
    pub(crate) fn new(id: BucketId, created: CommitSequence, created_ms: u64, region: String) -> Self {
        let (versioning, documents) = (Versioning::default(), Vec::new());
        Self { id, created_ms, region, revision: created, versioning, documents }
    }

    /// The commit that set the document of this kind; `None` if there is none.
    pub(crate) fn document(&self, kind: SettingKind) -> Option<CommitSequence> {
        stamp_of(&self.documents, kind)
    }

    /// Notes which commit has set the document of this kind, or that it was removed.
    pub(crate) fn stamp(&mut self, kind: SettingKind, set: Option<CommitSequence>) {
        self.documents.retain(|stamp| stamp.kind != kind);
        self.documents.extend(set.map(|revision| DocumentStamp { kind, revision }));
        self.documents.sort_by_key(|stamp| stamp.kind);
    }
}

impl From<BucketRow> for BucketRecord {
    fn from(row: BucketRow) -> Self {
        let BucketRow { id, created_ms, region, revision, versioning, documents } = row;
        Self { id, revision, created_ms, region, versioning, documents }
    }
}

/// Refused with `NoSuchBucket` if there is none. The system bucket has no row, so it is never listed, created or deleted, and
/// its settings never change.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>, name: &BucketName) -> Result<BucketRow, Refused> {
    if name.is_system() {
        return Ok(BucketRow::new(BucketId::SYSTEM, CommitSequence(0), 0, String::new()));
    }
    let row = table.get(name.as_str().as_bytes())?.ok_or(Rejection::NoSuchBucket)?;
    Ok(BucketRow::read(row.value())?)
}

pub(crate) fn put(table: &mut Table<'_, Key, Value>, name: &BucketName, row: &BucketRow) -> Result<(), StoreError> {
    table.insert(name.as_str().as_bytes(), row.to_bytes().as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I30: rows on disk stay readable.
    #[test]
    fn a_row_keeps_its_encoding() {
        let mut row = BucketRow::new(BucketId(4), CommitSequence(80), 1000, "eu".to_owned());
        assert_eq!(hex::encode(row.to_bytes()), "8604".to_owned() + "1903e8626575185000" + "80");
        row.versioning = Versioning::Suspended;
        row.stamp(SettingKind(7), Some(CommitSequence(81)));
        row.stamp(SettingKind::LIFECYCLE, Some(CommitSequence(82)));
        assert_eq!(hex::encode(row.to_bytes()), "86041903e8626575185002".to_owned() + "8282011852" + "82071851");
        assert_eq!(BucketRow::read(&row.to_bytes()).unwrap(), row);
    }

    #[test]
    fn a_document_has_one_stamp() {
        let mut row = BucketRow::new(BucketId(4), CommitSequence(80), 0, String::new());
        row.stamp(SettingKind(2), Some(CommitSequence(81)));
        row.stamp(SettingKind(1), Some(CommitSequence(82)));
        row.stamp(SettingKind(2), Some(CommitSequence(83)));
        assert_eq!(row.documents.iter().map(|stamp| stamp.kind.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(row.document(SettingKind(2)), Some(CommitSequence(83)));
        row.stamp(SettingKind(2), None);
        assert_eq!((row.document(SettingKind(2)), row.documents.len()), (None, 1));
    }
}
