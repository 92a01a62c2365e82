//! Which extents have a shard on a disk. A drain and the repair of a lost disk walk through them.

use cairn_core::id::{DiskNumber, ExtentId, SessionId};
use redb::{ReadableTable, TableDefinition};

use crate::error::StoreError;

/// (disk number, extent id) → `()`.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("disk_extents");
pub(crate) type Key = (u32, [u8; 16]);
pub(crate) type Value = ();

/// Whether no extent has a shard on `disk`.
pub(crate) fn is_empty(table: &impl ReadableTable<Key, Value>, disk: DiskNumber) -> Result<bool, StoreError> {
    Ok(from(table, disk, FIRST)?.next().transpose()?.is_none())
}

/// The lowest extent id.
pub(crate) const FIRST: ExtentId = ExtentId::new(SessionId(0), 0);

/// The extents with a shard on `disk`, starting at `start`, in id order.
pub(crate) fn from(
    table: &impl ReadableTable<Key, Value>,
    disk: DiskNumber,
    start: ExtentId,
) -> Result<impl Iterator<Item = Result<ExtentId, StoreError>>, StoreError> {
    let range = table.range((disk.0, start.to_bytes())..=(disk.0, [u8::MAX; 16]))?;
    Ok(range.map(|entry| Ok(ExtentId::from_bytes(entry?.0.value().1))))
}

/// Counts the extents with a shard on `disk`. Reads every row.
pub(crate) fn count(table: &impl ReadableTable<Key, Value>, disk: DiskNumber) -> Result<u64, StoreError> {
    let mut count = 0;
    for extent in from(table, disk, FIRST)? {
        extent?;
        count += 1;
    }
    Ok(count)
}
