//! Where the null version of a key is, if it is one of those that are not current: it may stand anywhere among them, and a
//! key may have many.

use redb::TableDefinition;

/// (bucket, key) → commit sequence.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("null_versions");
pub(crate) type Key = (u64, &'static [u8]);
pub(crate) type Value = u64;
