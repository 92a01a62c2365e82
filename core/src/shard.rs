//! A shard's identity and header.

use bytes::Bytes;
use minicbor::{Decode, Encode};

use crate::cell::{CHECKSUM_BYTES, Cell, CellAddress, CellChecksum};
use crate::geometry::Geometry;
use crate::id::{ExtentId, ProfileId};

/// Names one shard: one column of an extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ShardId {
    /// The extent.
    #[n(0)]
    pub extent: ExtentId,
    /// Which of the `k+m` columns.
    #[n(1)]
    pub index: u8,
}

impl ShardId {
    /// The address of this shard's cell `stripe`.
    pub const fn cell(self, stripe: u32) -> CellAddress {
        CellAddress { extent: self.extent, shard: self.index, stripe }
    }
}

impl std::fmt::Display for ShardId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.extent, self.index)
    }
}

/// Everything known about a shard before its first byte is written (I5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardHeader {
    /// Which shard.
    pub id: ShardId,
    /// The profile it was coded under.
    pub profile: ProfileId,
    /// The shape of its extent.
    pub geometry: Geometry,
    /// The encoded [`crate::descriptor::Descriptor`], from which the namespace is reconstructed if all metadata is
    /// lost.
    pub descriptor: Bytes,
}

impl ShardHeader {
    /// Bytes of the cells with a checksum after each, as on disk and on the wire.
    pub fn body_bytes(&self) -> u64 {
        body_bytes(&self.geometry)
    }
}

/// Bytes of one shard's cells with a checksum after each.
pub fn body_bytes(geometry: &Geometry) -> u64 {
    geometry.shard_bytes() + u64::from(geometry.stripes()) * CHECKSUM_BYTES as u64
}

/// The byte range of cells `stripes` inside a shard's body, checksums included.
pub fn body_range(geometry: &Geometry, stripes: &std::ops::Range<u32>) -> std::ops::Range<u64> {
    let full = u64::from(geometry.cell_bytes) + CHECKSUM_BYTES as u64;
    let end = if stripes.end >= geometry.stripes() { body_bytes(geometry) } else { u64::from(stripes.end) * full };
    u64::from(stripes.start) * full..end
}

/// Cuts the bytes of cells `stripes`, each followed by a checksum, into cells, without copying. `None` if the length
/// does not fit the geometry.
pub fn split_body(geometry: &Geometry, stripes: std::ops::Range<u32>, body: &Bytes) -> Option<Vec<Cell>> {
    let range = body_range(geometry, &stripes);
    if body.len() as u64 != range.end.checked_sub(range.start)? {
        return None;
    }
    let mut at = 0;
    let cells = stripes.map(|stripe| {
        let end = at + geometry.cell_length(stripe) as usize;
        let checksum: [u8; CHECKSUM_BYTES] = body.get(end..end + CHECKSUM_BYTES)?.try_into().ok()?;
        let data = body.slice(at..end);
        at = end + CHECKSUM_BYTES;
        Some(Cell { data, checksum: CellChecksum(checksum) })
    });
    cells.collect()
}

/// The disks of an extent's shards, by shard index; `None` for a missing shard.
pub type Locations = Vec<Option<crate::id::DiskNumber>>;
