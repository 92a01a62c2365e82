//! What the comparison of a restored service with the disks found, for the operator to read.

use std::ops::Bound;

use cairn_core::id::ExtentId;
use cairn_protocol::metadata::query::{Finding, FindingKind};
use redb::{ReadableTable, Table, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// First extent, big-endian → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("findings");
pub(crate) type Key = [u8; 16];
pub(crate) type Value = &'static [u8];

impl Row for Finding {
    const TABLE: &'static str = "findings";
}

/// Replaces an earlier finding on the same extent.
pub(crate) fn put(table: &mut Table<'_, Key, Value>, finding: Finding) -> Result<(), StoreError> {
    table.insert(finding.extent.to_bytes(), finding.to_bytes().as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<Key, Value>, extent: ExtentId) -> Result<Option<Finding>, StoreError> {
    table.get(extent.to_bytes())?.map(|row| Finding::read(row.value())).transpose()
}

/// Removes the findings that a later comparison would find again.
pub(crate) fn clear_open(table: &mut Table<'_, Key, Value>) -> Result<(), StoreError> {
    table.retain(|_, row| {
        let kind = Finding::read(row).map(|finding| finding.kind);
        matches!(kind, Ok(FindingKind::Recovered | FindingKind::Superseded))
    })?;
    Ok(())
}

/// Findings after `after`.
pub(crate) fn page(
    table: &impl ReadableTable<Key, Value>,
    after: Option<ExtentId>,
    limit: usize,
) -> Result<Vec<Finding>, StoreError> {
    let start = after.map_or(Bound::Unbounded, |extent| Bound::Excluded(extent.to_bytes()));
    let rows = table.range::<Key>((start, Bound::Unbounded))?;
    rows.take(limit).map(|entry| Finding::read(entry?.1.value())).collect()
}
