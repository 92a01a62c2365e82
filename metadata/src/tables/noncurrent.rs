//! What versioned buckets keep beside the current objects: versions that were replaced or deleted, and delete markers.
//!
//! They stand apart from [`super::versions`] so that a listing of objects, and a bucket that never was versioned, pays
//! nothing for them. A key has a row there if and only if its newest version is an object; that one is newer than all of its
//! rows here.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::RangeBounds;

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::version::VersionId;
use redb::{AccessGuard, Range, ReadableTable, StorageError, TableDefinition};

use super::versions::{self, VersionRow};
use super::{Row, View, null_versions};
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
    /// Whether it stands in [`super::versions`].
    pub(crate) is_current: bool,
}

/// The version of a key that is called `id`.
pub(crate) fn find(
    versions: &impl ReadableTable<Key, Value>,
    noncurrent: &impl ReadableTable<Key, Value>,
    null_versions: &impl ReadableTable<null_versions::Key, null_versions::Value>,
    (bucket, key): (BucketId, &[u8]),
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
    Ok(get(noncurrent, (bucket, key), sequence)?.filter(is_meant))
}

/// The noncurrent version of a key that `sequence` made.
pub(crate) fn get(
    noncurrent: &impl ReadableTable<Key, Value>,
    (bucket, key): (BucketId, &[u8]),
    sequence: CommitSequence,
) -> Result<Option<Found>, StoreError> {
    let row = noncurrent.get(versions::key(bucket, key, sequence))?;
    let row = row.map(|row| VersionRow::read(row.value())).transpose()?;
    Ok(row.map(|row| Found { sequence, row, is_current: false }))
}

/// The rows of a table in order.
type Rows<'t> = Peekable<Range<'t, Key, Value>>;
/// A row as redb hands it out.
pub(crate) type Entry<'t> = (AccessGuard<'t, Key>, AccessGuard<'t, Value>);

/// All versions, current or not, key by key, the newest first.
pub(crate) struct AllVersions<'t> {
    current: Rows<'t>,
    noncurrent: Rows<'t>,
}

impl AllVersions<'static> {
    /// Those in `range`.
    pub(crate) fn range<'k>(
        view: &View,
        range: impl RangeBounds<(u64, &'k [u8], u64)> + Clone,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            current: view.versions()?.range(range.clone())?.peekable(),
            noncurrent: view.noncurrent()?.range(range)?.peekable(),
        })
    }

    /// Every one.
    pub(crate) fn all(view: &View) -> Result<Self, StoreError> {
        Self::range(view, ..)
    }
}

impl<'t> Iterator for AllVersions<'t> {
    type Item = Result<Entry<'t>, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.current.peek(), self.noncurrent.peek()) {
            (Some(Ok((current, _))), Some(Ok((noncurrent, _)))) => current.value().cmp(&noncurrent.value()),
            // An error is handed out at once.
            (Some(_), None) | (Some(Err(_)), _) => Ordering::Less,
            (None | Some(Ok(_)), _) => Ordering::Greater,
        };
        if order == Ordering::Greater { self.noncurrent.next() } else { self.current.next() }
    }
}
