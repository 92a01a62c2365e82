//! The rebalance that is under way, or the last one: one row of [`super::meta`], so that a new leader goes on with it.

use cairn_protocol::metadata::query::RebalanceRecord;
use redb::{ReadableTable, Table};

use super::Row;
use super::meta::{self, Key, Value};
use crate::error::StoreError;

const NAME: &str = "rebalance";

impl Row for RebalanceRecord {
    const TABLE: &'static str = "meta";
}

/// The rebalance under way or the last one.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>) -> Result<Option<RebalanceRecord>, StoreError> {
    meta::get(table, NAME)
}

/// The rebalance under way.
pub(crate) fn running(table: &impl ReadableTable<Key, Value>) -> Result<Option<RebalanceRecord>, StoreError> {
    Ok(get(table)?.filter(|record| record.ended.is_none()))
}

/// Replaces it.
pub(crate) fn put(table: &mut Table<'_, Key, Value>, record: &RebalanceRecord) -> Result<(), StoreError> {
    meta::put(table, NAME, record)
}
