//! Protects a rebuilt shard from orders to delete that are older than the rebuild.
//!
//! A shard may be rebuilt on a disk that had an earlier copy of it. An order to delete that copy may still be under way
//! when the new one is written, and names the same shard. The order's proof tells them apart: it says as of which commit
//! the shard was garbage, and the grant of the rebuild is a commit too. An order that is older than the grant means the
//! earlier copy (I13).

use std::collections::HashMap;

use cairn_core::id::{CommitSequence, DiskId};
use cairn_core::shard::ShardId;
use cairn_protocol::storage::{DeleteOrder, DeleteProof};

/// Number of entries from which on outdated ones are looked for.
const PRUNE_FROM: usize = 1024;

/// The rebuilds for which older orders may still be under way.
#[derive(Debug, Default)]
pub(super) struct RebuildFence {
    grants: HashMap<(DiskId, ShardId), CommitSequence>,
    prune_at: usize,
}

impl RebuildFence {
    /// A rebuild begins. The node refuses all orders of the group from before the commit `floor`: older grants need no entry.
    pub(super) fn begin(&mut self, disk: DiskId, shard: ShardId, grant: CommitSequence, floor: CommitSequence) {
        if self.grants.len() >= self.prune_at.max(PRUNE_FROM) {
            self.grants.retain(|_, grant| grant.group() != floor.group() || *grant > floor);
            self.prune_at = self.grants.len() * 2;
        }
        let newest = self.grants.entry((disk, shard)).or_insert(grant);
        *newest = grant.max(*newest);
    }

    /// The first shard of an order that was rebuilt after the order's proof.
    pub(super) fn hit(&self, disk: DiskId, order: &DeleteOrder) -> Option<ShardId> {
        let DeleteProof::Committed(commit) = order.proof else { return None };
        let newer = |shard: &&ShardId| self.grants.get(&(disk, **shard)).is_some_and(|grant| *grant > commit);
        order.shards.iter().find(newer).copied()
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{ExtentId, SessionId};
    use cairn_core::testing::commit_at;

    use super::*;

    fn shard(n: u64) -> ShardId {
        ShardId { extent: ExtentId::new(SessionId(1), n), index: 0 }
    }

    fn disk(n: u8) -> DiskId {
        DiskId::from_bytes([n; 16])
    }

    #[test]
    fn orders_older_than_the_grant_are_refused_and_others_are_not() {
        let mut fence = RebuildFence::default();
        fence.begin(disk(1), shard(1), commit_at(100), commit_at(0));
        let hit = |on: u8, commit: u64, n: u64| {
            let order =
                DeleteOrder { proof: DeleteProof::Committed(commit_at(commit)), shards: vec![shard(9), shard(n)] };
            fence.hit(disk(on), &order)
        };
        assert_eq!(hit(1, 99, 1), Some(shard(1)));
        assert_eq!((hit(1, 100, 1), hit(2, 99, 1), hit(1, 99, 2)), (None, None, None));
    }

    #[test]
    fn grants_below_the_floor_are_forgotten() {
        let mut fence = RebuildFence::default();
        for n in 1..100_000u64 {
            fence.begin(disk(1), shard(n), commit_at(n), commit_at(n.saturating_sub(50)));
        }
        assert!(fence.grants.len() <= 2 * PRUNE_FROM, "{}", fence.grants.len());
    }
}
