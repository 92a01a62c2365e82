//! The versions of one key, which change together. Source: S3 user guide, "How S3 Versioning works".

use cairn_core::etag::ETag;
use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::{VersionId, VersionKind, Versioning};
use cairn_protocol::metadata::content::Content;
use redb::ReadableTable;

use super::context::Context;
use super::release::release;
use crate::error::StoreError;
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::noncurrent::{self, Found};
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::usage::Change;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, Tables, versions};

/// Maximum number of noncurrent versions searched for a content.
const SEARCHED_MAX: usize = 1000;

/// A key with its bucket's versioning state.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyVersions<'k> {
    bucket: BucketId,
    key: &'k [u8],
    versioning: Versioning,
}

/// A key's newest version if it is an object, as read for the preconditions.
pub(super) type Current = Option<(CommitSequence, VersionRow)>;

pub(super) struct Made {
    /// `None` if the bucket was never versioned.
    pub(super) id: Option<VersionId>,
    /// The version that was removed for it.
    pub(super) dropped: Option<VersionRow>,
    /// How the bucket's usage changes.
    pub(super) change: Change,
}

impl<'k> KeyVersions<'k> {
    pub(super) fn of(bucket: &BucketRow, key: &'k [u8]) -> Self {
        Self { bucket: bucket.id, key, versioning: bucket.versioning }
    }

    /// Whether the bucket keeps versions, or did.
    pub(super) fn is_versioned(&self) -> bool {
        self.versioning != Versioning::Unversioned
    }

    /// The newest version, if it is an object.
    pub(super) fn current(&self, tables: &Tables<'_>) -> Result<Current, StoreError> {
        versions::newest(&tables.versions, self.bucket, self.key)
    }

    /// The version id that clients see.
    pub(super) fn id(&self, kind: VersionKind, sequence: CommitSequence) -> Option<VersionId> {
        self.is_versioned().then(|| kind.id(sequence))
    }

    pub(super) fn find(&self, tables: &Tables<'_>, id: VersionId) -> Result<Option<Found>, StoreError> {
        noncurrent::find(&tables.versions, &tables.noncurrent, &tables.null_versions, self.bucket, self.key, id)
    }

    /// The version that commit `sequence` created, if it is noncurrent.
    pub(super) fn noncurrent(
        &self,
        tables: &Tables<'_>,
        sequence: CommitSequence,
    ) -> Result<Option<Found>, StoreError> {
        noncurrent::get(&tables.noncurrent, self.bucket, self.key, sequence)
    }

    /// The version with this content, among the newest ones, so that a repeated command gets the same answer as the
    /// first.
    pub(super) fn find_content(
        &self,
        tables: &Tables<'_>,
        content: &Content,
    ) -> Result<Option<(CommitSequence, VersionRow)>, StoreError> {
        if let Some(found) = self.current(tables)?.filter(|(_, row)| row.content == *content) {
            return Ok(Some(found));
        }
        for entry in tables.noncurrent.range(self.all())?.take(SEARCHED_MAX) {
            let (place, row) = entry?;
            let row = VersionRow::read(row.value())?;
            if row.content == *content && !row.kind.is_marker() {
                return Ok(Some((CommitSequence(!place.value().2), row)));
            }
        }
        Ok(None)
    }

    /// Makes `row` the newest version, in place of `current`. The version it removes is the `item`-th release of the
    /// command.
    pub(super) fn put(
        &self,
        tables: &mut Tables<'_>,
        release: (Context, u32),
        current: Current,
        row: VersionRow,
    ) -> Result<Made, StoreError> {
        let kind = if self.versioning == Versioning::Enabled { VersionKind::Object } else { VersionKind::Null };
        let sequence = release.0.sequence;
        let dropped = self.make_room(tables, release, current)?;
        let change = added(&row, dropped.as_ref());
        let row = VersionRow { kind, ..row };
        tables.versions.insert(self.place(sequence), row.to_bytes().as_slice())?;
        Ok(Made { id: self.id(kind, sequence), dropped, change })
    }

    /// Makes a delete marker the newest version, in place of `current`, as a DELETE in a versioned bucket does.
    pub(super) fn put_marker(
        &self,
        tables: &mut Tables<'_>,
        release: (Context, u32),
        current: Current,
    ) -> Result<Made, StoreError> {
        let kind = if self.versioning == Versioning::Enabled { VersionKind::Marker } else { VersionKind::NullMarker };
        let (sequence, now_ms) = (release.0.sequence, release.0.now_ms);
        let dropped = self.make_room(tables, release, current)?;
        let marker = VersionRow {
            size: 0,
            etag: ETag::single([0; 16]),
            last_modified_ms: now_ms,
            content: Content::Empty,
            headers: Vec::new(),
            checksum: None,
            parts: None,
            storage_class: StorageClass::Standard,
            kind,
        };
        let change = added(&marker, dropped.as_ref());
        self.insert_noncurrent(tables, sequence, &marker)?;
        Ok(Made { id: self.id(kind, sequence), dropped, change })
    }

    /// Deletes a version permanently; the one below it becomes the newest again.
    pub(super) fn remove(
        &self,
        tables: &mut Tables<'_>,
        (context, item): (Context, u32),
        found: Found,
    ) -> Result<Change, StoreError> {
        let Found { sequence, row, is_current } = found;
        if is_current {
            tables.versions.remove(self.place(sequence))?;
        } else {
            self.remove_noncurrent(tables, sequence, &row)?;
        }
        let change = removed(&row);
        release(tables, context, item, Garbage::of(row.content))?;
        self.promote(tables)?;
        Ok(change)
    }

    pub(super) fn newest_noncurrent(
        &self,
        tables: &Tables<'_>,
    ) -> Result<Option<(CommitSequence, VersionRow)>, StoreError> {
        versions::newest(&tables.noncurrent, self.bucket, self.key)
    }

    /// Whether the key has versions besides the newest one.
    pub(super) fn has_others(&self, tables: &Tables<'_>) -> Result<bool, StoreError> {
        let current = usize::from(self.current(tables)?.is_some());
        Ok(current + tables.noncurrent.range(self.all())?.take(2).count() > 1)
    }

    /// Makes room for a new version on top: the null version is removed if the next one is null too, and what is
    /// current then becomes noncurrent. Returns what was removed.
    fn make_room(
        &self,
        tables: &mut Tables<'_>,
        (context, item): (Context, u32),
        current: Current,
    ) -> Result<Option<VersionRow>, StoreError> {
        let gives_null = self.versioning != Versioning::Enabled;
        let dropped = match current {
            Some((sequence, row)) if gives_null && row.kind.is_null() => {
                tables.versions.remove(self.place(sequence))?;
                Some(row)
            }
            current => {
                if let Some((sequence, row)) = current {
                    tables.versions.remove(self.place(sequence))?;
                    self.insert_noncurrent(tables, sequence, &row)?;
                }
                if gives_null { self.drop_null(tables)? } else { None }
            }
        };
        if let Some(row) = &dropped {
            release(tables, context, item, Garbage::of(row.content))?;
        }
        Ok(dropped)
    }

    /// Removes the null version if it is noncurrent.
    fn drop_null(&self, tables: &mut Tables<'_>) -> Result<Option<VersionRow>, StoreError> {
        if !self.is_versioned() {
            return Ok(None);
        }
        let Some(found) = self.find(tables, VersionId::Null)? else { return Ok(None) };
        self.remove_noncurrent(tables, found.sequence, &found.row)?;
        Ok(Some(found.row))
    }

    /// Makes the newest remaining version current if it is an object.
    fn promote(&self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        if !self.is_versioned() || self.current(tables)?.is_some() {
            return Ok(());
        }
        if let Some((sequence, row)) = self.newest_noncurrent(tables)?
            && !row.kind.is_marker()
        {
            self.remove_noncurrent(tables, sequence, &row)?;
            tables.versions.insert(self.place(sequence), row.to_bytes().as_slice())?;
        }
        Ok(())
    }

    fn insert_noncurrent(
        &self,
        tables: &mut Tables<'_>,
        sequence: CommitSequence,
        row: &VersionRow,
    ) -> Result<(), StoreError> {
        tables.noncurrent.insert(self.place(sequence), row.to_bytes().as_slice())?;
        if row.kind.is_null() {
            tables.null_versions.insert((self.bucket.0, self.key), sequence.0)?;
        }
        Ok(())
    }

    fn remove_noncurrent(
        &self,
        tables: &mut Tables<'_>,
        sequence: CommitSequence,
        row: &VersionRow,
    ) -> Result<(), StoreError> {
        tables.noncurrent.remove(self.place(sequence))?;
        if row.kind.is_null() {
            tables.null_versions.remove((self.bucket.0, self.key))?;
        }
        Ok(())
    }

    fn place(&self, sequence: CommitSequence) -> (u64, &'k [u8], u64) {
        versions::key(self.bucket, self.key, sequence)
    }

    fn all(&self) -> std::ops::RangeInclusive<(u64, &'k [u8], u64)> {
        (self.bucket.0, self.key, 0)..=(self.bucket.0, self.key, u64::MAX)
    }
}

/// How usage changes when a new version replaces `dropped`. Delete markers do not count.
fn added(row: &VersionRow, dropped: Option<&VersionRow>) -> Change {
    let (gone, new) = (dropped.map(removed).unwrap_or_default(), removed(row));
    Change { objects: gone.objects - new.objects, bytes: gone.bytes - new.bytes, uploads: 0 }
}

fn removed(row: &VersionRow) -> Change {
    let objects = if row.kind.is_marker() { 0 } else { -1 };
    Change { objects, bytes: -(row.size as i64), uploads: 0 }
}

#[cfg(test)]
mod tests;
