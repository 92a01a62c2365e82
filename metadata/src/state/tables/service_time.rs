//! The time that the service has been up: one row of [`super::meta`], so that it survives restarts and changes of
//! leader.

use cairn_core::lifecycle::ServiceTime;
use redb::{ReadableTable, Table};

use super::Row;
use super::meta::{self, Key, Value};
use crate::error::StoreError;

const NAME: &str = "service-time";

impl Row for ServiceTime {
    const TABLE: &'static str = "meta";
}

/// Zero before the first leader.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>) -> Result<ServiceTime, StoreError> {
    Ok(meta::get(table, NAME)?.unwrap_or_default())
}

pub(crate) fn put(table: &mut Table<'_, Key, Value>, time: &ServiceTime) -> Result<(), StoreError> {
    meta::put(table, NAME, time)
}
