//! The last ids given out. They only grow, so that an id is never used twice.

use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// Name → last id given out.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("counters");
pub(crate) type Key = &'static str;
pub(crate) type Value = u64;

/// Bucket ids.
pub(crate) const BUCKET: &str = "bucket";
/// Session ids.
pub(crate) const SESSION: &str = "session";

/// The last id given out; 0 for none.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>, name: &str) -> Result<u64, StoreError> {
    Ok(table.get(name)?.map_or(0, |row| row.value()))
}

/// Gives out the next id.
pub(crate) fn next(table: &mut Table<'_, Key, Value>, name: &str) -> Result<u64, StoreError> {
    let id = get(table, name)? + 1;
    table.insert(name, id)?;
    Ok(id)
}
