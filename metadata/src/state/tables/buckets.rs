//! Buckets by name.

use cairn_core::id::BucketId;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::Rejection;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::Row;
use crate::error::Refused;

/// Name → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("buckets");
pub(crate) type Key = &'static [u8];
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BucketRow {
    #[n(0)]
    pub(crate) id: BucketId,
    #[n(1)]
    pub(crate) created_ms: u64,
    #[n(2)]
    pub(crate) region: String,
}

impl Row for BucketRow {
    const TABLE: &'static str = "buckets";
}

/// The id of the system bucket, far above all others. The bucket has no row, so it is never listed, created or
/// deleted.
pub(crate) const SYSTEM: BucketId = BucketId(1 << 63);

/// Refused with `NoSuchBucket` if there is none.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>, name: &BucketName) -> Result<BucketRow, Refused> {
    if name.is_system() {
        return Ok(BucketRow { id: SYSTEM, created_ms: 0, region: String::new() });
    }
    let row = table.get(name.as_str().as_bytes())?.ok_or(Rejection::NoSuchBucket)?;
    Ok(BucketRow::read(row.value())?)
}
