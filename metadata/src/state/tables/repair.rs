//! Shards that wait for repair.

use cairn_core::id::ExtentId;
use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// (extent, shard index) → cause.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("repair");
pub(crate) type Key = ([u8; 16], u8);
pub(crate) type Value = u8;

/// The numbers are on disk and are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cause {
    /// The write was acknowledged above its quorum without this shard.
    DegradedWrite = 1,
    /// A reader or scrubber did not find it.
    Missing = 2,
    /// A reader or scrubber found bytes that do not verify.
    Corrupt = 3,
}

/// Queues a shard. An existing entry keeps its place and takes the newer cause.
pub(crate) fn put(
    table: &mut Table<'_, Key, Value>,
    extent: ExtentId,
    index: u8,
    cause: Cause,
) -> Result<(), StoreError> {
    table.insert((extent.to_bytes(), index), cause as u8)?;
    Ok(())
}

/// Removes every entry of a deleted extent.
pub(crate) fn forget(table: &mut Table<'_, Key, Value>, extent: ExtentId) -> Result<(), StoreError> {
    let id = extent.to_bytes();
    let mut queued = Vec::new();
    for entry in table.range((id, 0)..=(id, u8::MAX))? {
        queued.push(entry?.0.value());
    }
    for key in queued {
        table.remove(key)?;
    }
    Ok(())
}

/// Indexes of the extent's shards that wait for repair.
pub(crate) fn of(table: &impl ReadableTable<Key, Value>, extent: ExtentId) -> Result<Vec<u8>, StoreError> {
    let id = extent.to_bytes();
    table.range((id, 0)..=(id, u8::MAX))?.map(|entry| Ok(entry?.0.value().1)).collect()
}

/// The first extent from `start` on that has a shard waiting for repair.
pub(crate) fn next(table: &impl ReadableTable<Key, Value>, start: ExtentId) -> Result<Option<ExtentId>, StoreError> {
    let mut range = table.range((start.to_bytes(), 0)..)?;
    Ok(range.next().transpose()?.map(|(key, _)| ExtentId::from_bytes(key.value().0)))
}
