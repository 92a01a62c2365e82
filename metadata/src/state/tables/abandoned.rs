//! Extents whose writers gave them up before a commit: they can never be committed, so their shards are garbage while the
//! session that wrote them lives (I13). Once it has ended, the session itself proves as much.

use cairn_core::id::ExtentId;
use cairn_protocol::metadata::ExtentRun;
use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// Extent id, big-endian → `()`. The oldest session comes first.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("abandoned");
pub(crate) type Key = [u8; 16];
pub(crate) type Value = ();

pub(crate) fn put(table: &mut Table<'_, Key, Value>, extent: ExtentId) -> Result<(), StoreError> {
    table.insert(extent.to_bytes(), ())?;
    Ok(())
}

pub(crate) fn contains(table: &impl ReadableTable<Key, Value>, extent: ExtentId) -> Result<bool, StoreError> {
    Ok(table.get(extent.to_bytes())?.is_some())
}

/// Whether an extent of `run` was given up.
pub(crate) fn touches(table: &impl ReadableTable<Key, Value>, run: &ExtentRun) -> Result<bool, StoreError> {
    let range = run.first.to_bytes()..run.first.offset(run.count()).to_bytes();
    Ok(!range.is_empty() && table.range(range)?.next().transpose()?.is_some())
}

/// The first `limit` extents.
pub(crate) fn oldest(table: &impl ReadableTable<Key, Value>, limit: usize) -> Result<Vec<ExtentId>, StoreError> {
    table.iter()?.take(limit).map(|row| Ok(ExtentId::from_bytes(row?.0.value()))).collect()
}
