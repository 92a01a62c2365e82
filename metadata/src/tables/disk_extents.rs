//! Which extents have a shard on a disk: what a drain and the repair of a lost disk walk through.

use redb::TableDefinition;

/// (disk number, extent id) → nothing.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("disk_extents");
pub(crate) type Key = (u32, [u8; 16]);
pub(crate) type Value = ();
