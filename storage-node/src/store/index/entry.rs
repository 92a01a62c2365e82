//! An entry of the index: enough to read any cell of a shard with one read.

use cairn_core::geometry::Geometry;
use cairn_core::id::{ExtentId, ProfileId};
use cairn_core::shard::ShardId;

use crate::format::{Place, RecordHeader, RecordKind};

pub(crate) const KEY_BYTES: usize = 17;
pub(crate) const ENTRY_BYTES: usize = 32;

/// Where a shard is, and its shape. Its bytes are a row of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) descriptor_bytes: u32,
    pub(crate) profile: ProfileId,
    pub(crate) geometry: Geometry,
}

impl Entry {
    pub(crate) fn of(header: &RecordHeader) -> Self {
        Self {
            place: header.place,
            descriptor_bytes: header.descriptor_bytes,
            profile: header.profile,
            geometry: header.geometry,
        }
    }

    /// The header that `shard` has on disk, unless it is damaged.
    pub(crate) fn header(&self, shard: ShardId) -> RecordHeader {
        RecordHeader {
            kind: RecordKind::Shard,
            shard,
            profile: self.profile,
            geometry: self.geometry,
            descriptor_bytes: self.descriptor_bytes,
            place: self.place,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut row = [0; ENTRY_BYTES];
        row[..4].copy_from_slice(&self.place.volume.to_le_bytes());
        row[4..12].copy_from_slice(&self.place.offset.to_le_bytes());
        row[12..16].copy_from_slice(&self.descriptor_bytes.to_le_bytes());
        row[16..18].copy_from_slice(&self.profile.0.to_le_bytes());
        row[18] = self.geometry.data_shards;
        row[19] = self.geometry.parity_shards;
        row[20..24].copy_from_slice(&self.geometry.cell_bytes.to_le_bytes());
        row[24..].copy_from_slice(&self.geometry.length.to_le_bytes());
        row
    }

    pub(crate) fn from_bytes(row: &[u8; ENTRY_BYTES]) -> Self {
        let [v0, v1, v2, v3, o0, o1, o2, o3, o4, o5, o6, o7, d0, d1, d2, d3, p0, p1, k, m, c0, c1, c2, c3, length @ ..] =
            *row;
        Self {
            place: Place {
                volume: u32::from_le_bytes([v0, v1, v2, v3]),
                offset: u64::from_le_bytes([o0, o1, o2, o3, o4, o5, o6, o7]),
            },
            descriptor_bytes: u32::from_le_bytes([d0, d1, d2, d3]),
            profile: ProfileId(u16::from_le_bytes([p0, p1])),
            geometry: Geometry {
                data_shards: k,
                parity_shards: m,
                cell_bytes: u32::from_le_bytes([c0, c1, c2, c3]),
                length: u64::from_le_bytes(length),
            },
        }
    }
}

/// Keys sort as the ids do.
pub(crate) fn key_of(shard: ShardId) -> [u8; KEY_BYTES] {
    let mut key = [shard.index; KEY_BYTES];
    key[..16].copy_from_slice(&shard.extent.to_bytes());
    key
}

pub(crate) fn shard_of(key: &[u8; KEY_BYTES]) -> ShardId {
    let [extent @ .., index] = *key;
    ShardId { extent: ExtentId::from_bytes(extent), index }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_and_keys_read_back(volume: u32, offset: u64, d: u32, p: u16, k: u8, m: u8, c: u32, l: u64, x: u128, i: u8) {
            let geometry = Geometry { data_shards: k, parity_shards: m, cell_bytes: c, length: l };
            let place = Place { volume, offset };
            let entry = Entry { place, descriptor_bytes: d, profile: ProfileId(p), geometry };
            prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()), entry);
            let shard = ShardId { extent: ExtentId::from_bytes(x.to_be_bytes()), index: i };
            prop_assert_eq!(shard_of(&key_of(shard)), shard);
        }
    }
}
