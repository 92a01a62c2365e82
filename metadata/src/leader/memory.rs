//! What the leader hears and does not replicate: who is alive, and how the disks are. A new leader begins anew and gives
//! everybody a fresh lease.

use cairn_core::sync::IgnorePoison;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cairn_core::id::{DiskId, NodeId, SessionId};
use cairn_protocol::storage::NodeStatus;

/// The memory of one lead.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) term: u64,
    /// When this lead began, by the monotonic clock.
    pub(crate) began: Duration,
    /// Since when this member has been there to hear anybody.
    pub(crate) since: Duration,
    /// When each session was renewed last.
    pub(crate) renewed: HashMap<SessionId, Duration>,
    /// The last report of each node, and when it came.
    pub(crate) heard: HashMap<NodeId, Heard>,
}

impl Memory {
    /// The disks that doubt what they have ([`cairn_protocol::storage::DiskStatus::doubt`]).
    pub(crate) fn doubts(&self) -> HashMap<DiskId, u64> {
        let disks = self.heard.values().filter_map(|heard| heard.status.as_ref()).flat_map(|status| &status.disks);
        disks.filter_map(|disk| Some((disk.disk, disk.doubt?))).collect()
    }

    /// A doubt has ended, although the last report still has it.
    pub(crate) fn forget_doubt(&mut self, node: NodeId, disk: DiskId, doubt: u64) {
        let status = self.heard.get_mut(&node).and_then(|heard| heard.status.as_mut());
        for status in status.into_iter().flat_map(|status| &mut status.disks) {
            if status.disk == disk && status.doubt == Some(doubt) {
                status.doubt = None;
            }
        }
    }
}

/// The last sign of life of a node.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) at: Duration,
    /// `None` for a node that has registered but not yet reported.
    pub(crate) status: Option<NodeStatus>,
}

/// The memory of whichever lead is current.
#[derive(Debug, Default)]
pub(crate) struct LeaderMemory(Mutex<Memory>);

impl LeaderMemory {
    /// The memory of the leader of `term`; what was heard in earlier terms is dropped.
    pub(crate) fn of(&self, term: u64, now: Duration) -> MutexGuard<'_, Memory> {
        let mut memory = self.0.lock().ignore_poison();
        if memory.term != term {
            *memory = Memory { term, began: now, since: now, ..Memory::default() };
        }
        memory
    }

    /// Gives everybody a fresh lease within a lead: nobody could be heard until now.
    pub(crate) fn begin_anew(&self, now: Duration) {
        let mut memory = self.0.lock().ignore_poison();
        *memory = Memory { term: memory.term, began: memory.began, since: now, ..Memory::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_could_not_be_heard_gets_a_fresh_lease() {
        let (memory, at) = (LeaderMemory::default(), Duration::from_secs);
        memory.of(3, at(10)).renewed.insert(SessionId(7), at(11));
        memory.begin_anew(at(60));
        let now = memory.of(3, at(61));
        assert_eq!((now.term, now.began, now.since, now.renewed.len()), (3, at(10), at(60), 0));
    }
}
