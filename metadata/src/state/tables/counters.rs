//! The last ids issued. They only grow, so an id is never used twice.

use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// Name → last id issued.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("counters");
pub(crate) type Key = &'static str;
pub(crate) type Value = u64;

pub(crate) const BUCKET: &str = "bucket";
pub(crate) const SESSION: &str = "session";

/// The last id issued; 0 if none was.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>, name: &str) -> Result<u64, StoreError> {
    Ok(table.get(name)?.map_or(0, |row| row.value()))
}

/// Issues the next id.
pub(crate) fn next(table: &mut Table<'_, Key, Value>, name: &str) -> Result<u64, StoreError> {
    let id = get(table, name)? + 1;
    table.insert(name, id)?;
    Ok(id)
}
