//! What a disk's directory holds.

use std::path::{Path, PathBuf};

use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId};
use cairn_core::shard::ShardId;
use cairn_storage_node::inspect::{InspectError, InspectOptions, inspect};

/// Records begin at multiples of so many bytes: see docs/on-disk-format.md.
const RECORD_ALIGN: u64 = 512;

/// A disk that was looked at.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) path: PathBuf,
    pub(super) cluster: ClusterId,
    pub(super) disk: DiskId,
    /// Ordered by their ids.
    pub(super) held: Vec<Held>,
    pub(super) dead_bytes: u64,
    pub(super) allocated_bytes: u64,
}

/// A shard on a disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) shard: ShardId,
    pub(super) geometry: Geometry,
    /// Bytes of its record.
    pub(super) bytes: u64,
    /// Whether something of it does not verify.
    pub(super) is_damaged: bool,
    /// Whether an extent's row has it here.
    pub(super) is_owned: bool,
}

impl Shelf {
    /// Looks at a disk; with `verify` at every byte of it.
    pub(super) fn look(path: &Path, verify: bool) -> Result<Self, InspectError> {
        let found = inspect(path, InspectOptions { verify, in_use: false })?;
        let mut held: Vec<Held> = found.shards.iter().map(Held::of).collect();
        held.sort_unstable_by_key(|held| held.shard);
        let mut shelf = Self {
            path: path.to_owned(),
            cluster: found.cluster,
            disk: found.disk,
            held,
            dead_bytes: found.volumes.iter().map(|volume| volume.dead_bytes).sum(),
            allocated_bytes: found.volumes.iter().map(|volume| volume.allocated_bytes).sum(),
        };
        for shard in found.problems.iter().filter_map(|problem| problem.shard) {
            if let Some(held) = shelf.get_mut(shard) {
                held.is_damaged = true;
            }
        }
        Ok(shelf)
    }

    /// The shard, if it is here.
    pub(super) fn get_mut(&mut self, shard: ShardId) -> Option<&mut Held> {
        let at = self.held.binary_search_by_key(&shard, |held| held.shard).ok()?;
        self.held.get_mut(at)
    }

    /// The shards that nobody owns.
    pub(super) fn unowned(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(|held| !held.is_owned)
    }
}

impl Held {
    fn of(report: &cairn_storage_node::inspect::ShardReport) -> Self {
        let bytes = report.written_bytes.next_multiple_of(RECORD_ALIGN);
        Self { shard: report.shard, geometry: report.geometry, bytes, is_damaged: false, is_owned: false }
    }
}
