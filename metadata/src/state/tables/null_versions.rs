//! Finds a key's null version if it is noncurrent: it may be anywhere among the key's noncurrent versions, which can
//! be many.

use redb::TableDefinition;

/// (bucket, key) → commit sequence.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("null_versions");
pub(crate) type Key = (u64, &'static [u8]);
pub(crate) type Value = u64;
