//! How repair stands, for operators.

use std::sync::{Mutex, PoisonError};

use cairn_core::repair::{Planner, Progress, Why};
use cairn_protocol::metadata::query::{RepairStatus as Answer, RunningRebuild};

use super::scan::Seen;

/// How repair stands on this member, if it leads.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepairStatus {
    pending: Seen,
    progress: Progress,
    waiting: u64,
    rate: u64,
    running: Vec<RunningRebuild>,
}

impl RepairStatus {
    pub(super) fn of(planner: &Planner) -> Self {
        let running = planner.running().map(|task| RunningRebuild {
            extent: task.shard.extent,
            index: task.shard.index,
            from: task.from,
            target: task.target,
            bytes: task.bytes(),
            spare: task.spare,
            moves: task.why == Why::Leaving,
        });
        Self {
            pending: Seen::default(),
            progress: planner.progress(),
            waiting: planner.waiting() as u64,
            rate: planner.rate(),
            running: running.collect(),
        }
    }

    fn answer(self) -> Answer {
        Answer {
            pending_extents: self.pending.extents,
            pending_bytes: self.pending.bytes,
            lost_extents: self.pending.lost,
            without_place_extents: self.pending.without_place,
            waiting: self.waiting,
            done_shards: self.progress.shards,
            done_bytes: self.progress.bytes,
            failures: self.progress.failures,
            bytes_per_s_limit: self.rate,
            running: self.running,
        }
    }
}

/// Where the job leaves its status for those who ask.
#[derive(Debug, Default)]
pub(crate) struct StatusCell(Mutex<RepairStatus>);

impl StatusCell {
    /// The status as it is now; what was pending at the end of the last pass stays.
    pub(super) fn set(&self, status: RepairStatus) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *current = RepairStatus { pending: current.pending, ..status };
    }

    /// What a whole pass has seen.
    pub(super) fn set_pending(&self, pending: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pending = pending;
    }

    /// The answer to an operator.
    pub(crate) fn answer(&self) -> Answer {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().answer()
    }
}
