//! Where the shards of each extent are stored: one row per extent.

use cairn_core::geometry::Geometry;
use cairn_core::id::{ExtentId, Generation, ProfileId};
use cairn_core::repair::ExtentView;
use cairn_core::shard::Locations;
use cairn_protocol::metadata::PlacedExtent;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// Extent id, big-endian → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("extents");
pub(crate) type Key = [u8; 16];
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ExtentRow {
    #[n(0)]
    pub(crate) profile: ProfileId,
    #[n(1)]
    pub(crate) geometry: Geometry,
    #[n(2)]
    pub(crate) locations: Locations,
    #[n(3)]
    pub(crate) generation: Generation,
}

impl ExtentRow {
    /// The extent as repair and rebalance see it.
    pub(crate) fn view(&self, id: ExtentId) -> ExtentView<'_> {
        let Self { profile, geometry, locations, generation } = self;
        ExtentView { id, profile: *profile, geometry, generation: *generation, locations }
    }
}

impl Row for ExtentRow {
    const TABLE: &'static str = "extents";
}

impl From<PlacedExtent> for ExtentRow {
    fn from(placed: PlacedExtent) -> Self {
        Self {
            profile: placed.profile,
            geometry: placed.geometry,
            locations: placed.locations,
            generation: Generation::default(),
        }
    }
}

pub(crate) fn get(table: &impl ReadableTable<Key, Value>, extent: ExtentId) -> Result<Option<ExtentRow>, StoreError> {
    table.get(extent.to_bytes())?.map(|row| ExtentRow::read(row.value())).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::id::DiskNumber;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_reads_back(profile: u16, k: u8, m: u8, cell_bytes: u32, length: u64, generation: u32,
            disks in proptest::collection::vec(any::<Option<u32>>(), 0..20)) {
            let row = ExtentRow {
                profile: ProfileId(profile),
                geometry: Geometry { data_shards: k, parity_shards: m, cell_bytes, length },
                locations: disks.into_iter().map(|d| d.map(DiskNumber)).collect(),
                generation: Generation(generation),
            };
            prop_assert_eq!(ExtentRow::read(&row.to_bytes()).unwrap(), row);
        }
    }
}
