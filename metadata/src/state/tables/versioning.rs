//! Which buckets keep versions.

use cairn_core::id::BucketId;
use cairn_core::version::Versioning;
use redb::{ReadableTable, Table, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// Bucket → state; no row for a bucket that was never versioned.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("versioning");
pub(crate) type Key = u64;
pub(crate) type Value = &'static [u8];

impl Row for Versioning {
    const TABLE: &'static str = "versioning";
}

pub(crate) fn get(table: &impl ReadableTable<Key, Value>, bucket: BucketId) -> Result<Versioning, StoreError> {
    let row = table.get(bucket.0)?;
    Ok(row.map(|row| Versioning::read(row.value())).transpose()?.unwrap_or_default())
}

pub(crate) fn put(table: &mut Table<'_, Key, Value>, bucket: BucketId, state: Versioning) -> Result<(), StoreError> {
    table.insert(bucket.0, state.to_bytes().as_slice())?;
    Ok(())
}
