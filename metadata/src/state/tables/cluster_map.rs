//! The cluster map: one row.

use cairn_core::cluster_map::ClusterMap;
use redb::{ReadableTable, Table, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// `()` → the map.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("cluster_map");
pub(crate) type Key = ();
pub(crate) type Value = &'static [u8];

impl Row for ClusterMap {
    const TABLE: &'static str = "cluster_map";
}

/// `None` before the cluster is formed.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>) -> Result<Option<ClusterMap>, StoreError> {
    table.get(())?.map(|row| ClusterMap::read(row.value())).transpose()
}

pub(super) fn put(table: &mut Table<'_, Key, Value>, map: &ClusterMap) -> Result<(), StoreError> {
    table.insert((), map.to_bytes().as_slice())?;
    Ok(())
}
