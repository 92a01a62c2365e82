//! What versioned buckets keep besides the current objects: versions that were replaced or deleted, and delete
//! markers.
//!
//! They are kept apart from [`super::versions`] so that they cost nothing to object listings and to buckets that were
//! never versioned. A key has a row in `versions` if and only if its newest version is an object; that version is
//! newer than all of the key's rows here.

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::version::VersionId;
use redb::{ReadableTable, TableDefinition};

use super::versions::{self, VersionRow};
use super::{Row, null_versions};
use crate::error::StoreError;

/// As in [`super::versions`].
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("noncurrent");
pub(crate) type Key = versions::Key;
pub(crate) type Value = versions::Value;

/// A version and where it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) sequence: CommitSequence,
    pub(crate) row: VersionRow,
    /// Whether it is a row of [`super::versions`].
    pub(crate) is_current: bool,
}

/// The version of a key with the given `id`.
pub(crate) fn find(
    versions: &impl ReadableTable<Key, Value>,
    noncurrent: &impl ReadableTable<Key, Value>,
    null_versions: &impl ReadableTable<null_versions::Key, null_versions::Value>,
    bucket: BucketId,
    key: &[u8],
    id: VersionId,
) -> Result<Option<Found>, StoreError> {
    let is_meant = |found: &Found| found.row.kind.id(found.sequence) == id;
    let current = versions::newest(versions, bucket, key)?;
    let current = current.map(|(sequence, row)| Found { sequence, row, is_current: true });
    if let Some(found) = current.filter(is_meant) {
        return Ok(Some(found));
    }
    let sequence = match id {
        VersionId::Commit(sequence) => Some(sequence),
        VersionId::Null => null_versions.get((bucket.0, key))?.map(|row| CommitSequence(row.value())),
    };
    let Some(sequence) = sequence else { return Ok(None) };
    Ok(get(noncurrent, bucket, key, sequence)?.filter(is_meant))
}

/// The noncurrent version of a key that commit `sequence` created.
pub(crate) fn get(
    noncurrent: &impl ReadableTable<Key, Value>,
    bucket: BucketId,
    key: &[u8],
    sequence: CommitSequence,
) -> Result<Option<Found>, StoreError> {
    let row = noncurrent.get(versions::key(bucket, key, sequence))?;
    let row = row.map(|row| VersionRow::read(row.value())).transpose()?;
    Ok(row.map(|row| Found { sequence, row, is_current: false }))
}
