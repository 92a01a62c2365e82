//! The running rebalance, or the last one: one row of [`super::meta`], so that a new leader continues it.

use cairn_protocol::metadata::query::RebalanceRecord;
use redb::{ReadableTable, Table};

use super::Row;
use super::meta::{self, Key, Value};
use crate::error::StoreError;

const NAME: &str = "rebalance";

impl Row for RebalanceRecord {
    const TABLE: &'static str = "meta";
}

/// The running rebalance, or the last one.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>) -> Result<Option<RebalanceRecord>, StoreError> {
    meta::get(table, NAME)
}

/// The running rebalance.
pub(crate) fn running(table: &impl ReadableTable<Key, Value>) -> Result<Option<RebalanceRecord>, StoreError> {
    Ok(get(table)?.filter(|record| record.ended.is_none()))
}

pub(crate) fn put(table: &mut Table<'_, Key, Value>, record: &RebalanceRecord) -> Result<(), StoreError> {
    meta::put(table, NAME, record)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_protocol::metadata::command::RebalanceEnd;

    use super::*;

    /// I30: a leader of another release continues it.
    #[test]
    fn a_record_keeps_its_encoding() {
        let record = RebalanceRecord {
            id: CommitSequence(65_536),
            started_ms: 1000,
            bytes_per_s_max: Some(7),
            moved_shards: 2,
            moved_bytes: 300,
            ended: Some((2000, RebalanceEnd::Stuck("x".to_owned()))),
            reencodes: true,
        };
        let golden = b"\xa7\x00\x1a\x00\x01\x00\x00\x01\x19\x03\xe8\x02\x07\x03\x02\x04\x19\x01\x2c\x05\x82\x19\x07\xd0\x82\x02\x81\x61\x78\x06\xf5";
        assert_eq!(record.to_bytes(), golden);
        assert_eq!(RebalanceRecord::read(golden).unwrap(), record);
    }
}
