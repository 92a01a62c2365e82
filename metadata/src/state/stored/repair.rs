//! Stored commands of repair, rebalance and reclaim.

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
use cairn_protocol::metadata::command::{RebalanceEnd, RebuildId, ReclaimId, ShardReport};

use super::macros::stored;

stored!(map GrantRebuild { 0 extent: ExtentId, 1 index: u8, 2 target: DiskNumber, 3 generation: Generation });
stored!(map ReplaceShard { 0 rebuild: RebuildId, 1 release: bool, 2 rebalance: Option<CommitSequence> });
stored!(map EndRebuilds { 0 rebuilds: Vec<RebuildId> });
stored!(map StartRebalance { 0 bytes_per_s_max: Option<u64>, #[cbor(default)] 1 reencodes: bool });
stored!(map EndRebalance { 0 rebalance: Option<CommitSequence>, 1 end: RebalanceEnd });
stored!(array FinishReclaim {
    0 entry: ReclaimId,
    1 extents: Vec<ExtentId>,
    2 last: bool,
    #[cbor(default)]
    3 generations: Vec<Generation>,
    #[cbor(default)]
    4 away: Vec<DiskNumber>,
});
stored!(array ReportFaults { 0 reports: Vec<ShardReport> });
stored!(array AbandonExtents { 0 extents: Vec<ExtentId> });
