//! What metadata places on each disk.

use std::collections::HashMap;

use crate::geometry::Geometry;
use crate::id::DiskNumber;
use crate::shard::body_bytes;

/// Approximate bytes of a record besides its body: header, descriptor, footer, and padding to whole sectors.
const RECORD_BYTES: u64 = 640;

/// Bytes of the shards that metadata places on each disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads(HashMap<DiskNumber, u64>);

impl Loads {
    /// Counts the shards of one extent.
    pub fn add(&mut self, geometry: &Geometry, locations: &[Option<DiskNumber>]) {
        let bytes = weight(geometry);
        for disk in locations.iter().flatten() {
            *self.0.entry(*disk).or_default() += bytes;
        }
    }

    /// Bytes on `disk`.
    pub fn of(&self, disk: DiskNumber) -> u64 {
        self.0.get(&disk).copied().unwrap_or(0)
    }
}

/// Bytes that one shard of such an extent counts for.
pub(super) fn weight(geometry: &Geometry) -> u64 {
    body_bytes(geometry) + RECORD_BYTES
}
