//! How much each bucket holds, counted in the transaction that changes it.

use cairn_core::id::BucketId;
use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// Bucket → (objects, bytes, uploads in progress). The sum over all buckets is in the row [`TOTAL`].
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("usage");
pub(crate) type Key = u64;
pub(crate) type Value = (u64, u64, u64);

/// The row of the sums; bucket ids begin at 1.
pub(crate) const TOTAL: BucketId = BucketId(0);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    pub(crate) uploads: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) objects: i64,
    pub(crate) bytes: i64,
    pub(crate) uploads: i64,
}

pub(crate) fn get(table: &impl ReadableTable<Key, Value>, bucket: BucketId) -> Result<Usage, StoreError> {
    let (objects, bytes, uploads) = table.get(bucket.0)?.map(|row| row.value()).unwrap_or_default();
    Ok(Usage { objects, bytes, uploads })
}

/// Adds `change` to the bucket and to the sums.
pub(crate) fn add(table: &mut Table<'_, Key, Value>, bucket: BucketId, change: Change) -> Result<(), StoreError> {
    if change == Change::default() {
        return Ok(());
    }
    // The sums that users see contain only what is theirs.
    let sums = (bucket != BucketId::SYSTEM).then_some(TOTAL);
    for id in std::iter::once(bucket).chain(sums) {
        let old = get(table, id)?;
        let new = (
            old.objects.saturating_add_signed(change.objects),
            old.bytes.saturating_add_signed(change.bytes),
            old.uploads.saturating_add_signed(change.uploads),
        );
        table.insert(id.0, new)?;
    }
    Ok(())
}
