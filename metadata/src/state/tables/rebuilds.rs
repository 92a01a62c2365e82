//! Rebuilds that are granted and not published yet. The shards they store are not garbage although no extent names
//! them.

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
use cairn_protocol::metadata::command::RebuildId;
use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// (extent, shard index) → (commit that granted it, target disk, generation of the extent's locations). There are
/// only as many rows as rebuilds that run at the same time.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("rebuilds");
pub(crate) type Key = ([u8; 16], u8);
pub(crate) type Value = (u64, u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rebuild {
    pub(crate) grant: CommitSequence,
    pub(crate) target: DiskNumber,
    pub(crate) generation: Generation,
}

/// The running rebuild of a shard.
pub(crate) fn get(
    table: &impl ReadableTable<Key, Value>,
    extent: ExtentId,
    index: u8,
) -> Result<Option<Rebuild>, StoreError> {
    let row = table.get((extent.to_bytes(), index))?.map(|row| row.value());
    Ok(row.map(|(grant, target, generation)| Rebuild {
        grant: CommitSequence(grant),
        target: DiskNumber(target),
        generation: Generation(generation),
    }))
}

pub(crate) fn put(
    table: &mut Table<'_, Key, Value>,
    extent: ExtentId,
    index: u8,
    rebuild: Rebuild,
) -> Result<(), StoreError> {
    let row = (rebuild.grant.0, rebuild.target.0, rebuild.generation.0);
    table.insert((extent.to_bytes(), index), row)?;
    Ok(())
}

pub(crate) fn all(table: &impl ReadableTable<Key, Value>) -> Result<Vec<RebuildId>, StoreError> {
    let mut rebuilds = Vec::new();
    for entry in table.iter()? {
        let (key, row) = entry?;
        let (extent, index) = key.value();
        let grant = CommitSequence(row.value().0);
        rebuilds.push(RebuildId { extent: ExtentId::from_bytes(extent), index, grant });
    }
    Ok(rebuilds)
}
