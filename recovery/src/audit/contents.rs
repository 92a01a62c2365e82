//! What a disk's directory holds.

use std::path::{Path, PathBuf};

use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId};
use cairn_core::shard::ShardId;
use cairn_storage_node::inspect::{InspectError, InspectOptions, ShardReport, inspect};

/// Records begin at multiples of this many bytes: see docs/on-disk-format.md.
const RECORD_ALIGN: u64 = 512;

/// The contents of a disk.
#[derive(Debug)]
pub(super) struct DiskContents {
    pub(super) path: PathBuf,
    pub(super) cluster: ClusterId,
    pub(super) disk: DiskId,
    /// Ordered by id.
    pub(super) shards: Vec<HeldShard>,
    /// Bytes of deleted records that still take space.
    pub(super) dead_bytes: u64,
    /// Bytes that the volumes occupy, as the filesystem counts them.
    pub(super) allocated_bytes: u64,
}

/// A shard on a disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldShard {
    pub(super) id: ShardId,
    pub(super) geometry: Geometry,
    /// Bytes of its record.
    pub(super) bytes: u64,
    /// Whether some part of it does not verify.
    pub(super) is_damaged: bool,
    /// Whether the row of its extent locates it here.
    pub(super) is_owned: bool,
}

impl DiskContents {
    /// Reads the directory of a disk; with `verify`, every byte of its shards.
    pub(super) fn read(path: &Path, verify: bool) -> Result<Self, InspectError> {
        let found = inspect(path, InspectOptions { verify, in_use: false })?;
        let mut shards: Vec<HeldShard> = found.shards.iter().map(HeldShard::of).collect();
        shards.sort_unstable_by_key(|shard| shard.id);
        let mut contents = Self {
            path: path.to_owned(),
            cluster: found.cluster,
            disk: found.disk,
            shards,
            dead_bytes: found.volumes.iter().map(|volume| volume.dead_bytes).sum(),
            allocated_bytes: found.volumes.iter().map(|volume| volume.allocated_bytes).sum(),
        };
        for damaged in found.problems.iter().filter_map(|problem| problem.shard) {
            if let Some(shard) = contents.get_mut(damaged) {
                shard.is_damaged = true;
            }
        }
        Ok(contents)
    }

    pub(super) fn get_mut(&mut self, id: ShardId) -> Option<&mut HeldShard> {
        let at = self.shards.binary_search_by_key(&id, |shard| shard.id).ok()?;
        self.shards.get_mut(at)
    }

    pub(super) fn unowned(&self) -> impl Iterator<Item = &HeldShard> {
        self.shards.iter().filter(|shard| !shard.is_owned)
    }
}

impl HeldShard {
    fn of(report: &ShardReport) -> Self {
        let bytes = report.written_bytes.next_multiple_of(RECORD_ALIGN);
        Self { id: report.shard, geometry: report.geometry, bytes, is_damaged: false, is_owned: false }
    }
}
