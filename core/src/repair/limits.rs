//! Limits on repair.

use std::collections::HashSet;
use std::time::Duration;

use crate::cluster_map::ClusterMap;

/// How much repair does at the same time, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rebuilds at the same time in the whole cluster.
    pub running_max: usize,
    /// Rebuilds at the same time on one receiving node.
    pub running_per_node_max: usize,
    /// Tasks that wait in memory, for each number of spare shards. Further ones stay in the tables.
    pub waiting_max: usize,
    /// Cap on the bytes per second that repair writes, per node that takes shards, while clients are idle.
    pub bytes_per_s_max: u64,
    /// The same while clients are active.
    pub bytes_per_s_busy_max: u64,
    /// Bytes per second that repair may always write per such node, however busy the disks are.
    pub bytes_per_s_min: u64,
    /// Time for a node to rebuild a shard.
    pub rebuild_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            running_max: 32,
            running_per_node_max: 8,
            waiting_max: 4096,
            bytes_per_s_max: 256 << 20,
            bytes_per_s_busy_max: 32 << 20,
            bytes_per_s_min: 8 << 20,
            rebuild_time_max: Duration::from_mins(5),
        }
    }
}

/// The range of repair's rate, in bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Guaranteed however busy the disks are.
    pub min: u64,
    /// The cap.
    pub max: u64,
}

impl Limits {
    /// The rates of the whole cluster, in proportion to the number of nodes that take shards.
    pub fn rates(&self, map: &ClusterMap, clients_are_at_work: bool) -> Rates {
        let taking = map.disks.iter().filter(|disk| disk.state.takes_shards());
        let nodes = taking.map(|disk| disk.node).collect::<HashSet<_>>().len().max(1) as u64;
        let max = if clients_are_at_work {
            self.bytes_per_s_busy_max.min(self.bytes_per_s_max)
        } else {
            self.bytes_per_s_max
        };
        Rates { min: self.bytes_per_s_min.saturating_mul(nodes), max: max.saturating_mul(nodes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster_map::{Disk, DiskState, Standing};
    use crate::id::{ClusterId, DiskId, DiskNumber, NodeId};

    /// Four nodes of three disks.
    fn cluster() -> ClusterMap {
        let mut map = ClusterMap::empty(ClusterId::from_bytes([1; 16]), Vec::new());
        map.disks = (0..12)
            .map(|n: u8| Disk {
                number: DiskNumber(u32::from(n) + 1),
                id: DiskId::from_bytes([n; 16]),
                node: NodeId::from_bytes([n / 3; 16]),
                path: String::new(),
                capacity_bytes: 1 << 40,
                state: DiskState::Active,
                standing: Standing::Member,
            })
            .collect();
        map
    }

    #[test]
    fn every_node_that_takes_shards_adds_to_the_rates_and_clients_come_first() {
        let limits = Limits { bytes_per_s_max: 100, bytes_per_s_busy_max: 30, bytes_per_s_min: 5, ..Limits::default() };
        let mut map = cluster();
        assert_eq!(limits.rates(&map, false), Rates { min: 20, max: 400 });
        assert_eq!(limits.rates(&map, true), Rates { min: 20, max: 120 });
        let away = map.disks[0].node;
        map.disks.iter_mut().filter(|disk| disk.node == away).for_each(|disk| disk.state = DiskState::Failed);
        assert_eq!(limits.rates(&map, false), Rates { min: 15, max: 300 });
        let slow = Limits { bytes_per_s_max: 10, ..limits };
        assert_eq!(slow.rates(&map, true).max, 30, "clients never speed it up");
        map.disks.clear();
        assert_eq!(limits.rates(&map, false).max, 100);
    }
}
