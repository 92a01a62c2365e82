//! How repair stands, for operators.

use cairn_core::sync::IgnorePoison;
use std::sync::{Mutex, MutexGuard};

use cairn_core::repair::{Planner, Progress};
use cairn_protocol::metadata::query::{
    RebalanceStatus, RepairStatus as Answer, RunningRebuild, Verification, VerifyReport,
};

/// Counts of the current pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Extents with a shard to rebuild.
    pub(crate) extents: u64,
    /// Bytes to write for them.
    pub(crate) bytes: u64,
    /// Those that cannot be read at present.
    pub(crate) lost: u64,
    /// Those for whose shards there is no disk.
    pub(crate) without_place: u64,
}

impl Seen {
    /// Adds the counts of a further step.
    pub(crate) fn add(&mut self, more: Self) {
        self.extents += more.extents;
        self.bytes += more.bytes;
        self.lost += more.lost;
        self.without_place += more.without_place;
    }
}

/// How repair stands on this member, if it leads.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepairStatus {
    pending: Seen,
    progress: Progress,
    waiting: u64,
    rate: u64,
    running: Vec<RunningRebuild>,
    held_back: Vec<String>,
}

impl RepairStatus {
    /// The planner's work, and the silent nodes whose disks are not failed because too many are silent.
    pub(crate) fn of(planner: &Planner, held_back: Vec<String>) -> Self {
        let running = planner.running().map(|task| RunningRebuild {
            extent: task.shard.extent,
            index: task.shard.index,
            from: task.from,
            target: task.target,
            bytes: task.bytes(),
            spare: task.spare,
            moves: task.why.moves(),
        });
        Self {
            pending: Seen::default(),
            progress: planner.progress(),
            waiting: planner.waiting() as u64,
            rate: planner.rate(),
            running: running.collect(),
            held_back,
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
            held_back: Some(self.held_back).filter(|nodes| !nodes.is_empty()),
        }
    }
}

/// Where the job leaves its status for those who ask.
#[derive(Debug, Default)]
pub(crate) struct RepairStatusCell {
    status: Mutex<RepairStatus>,
    verification: Mutex<Verification>,
    rebalance: Mutex<RebalanceStatus>,
}

impl RepairStatusCell {
    /// The current status. Pending counts are those of the last finished pass.
    pub(crate) fn set(&self, status: RepairStatus) {
        let mut current = self.status.lock().ignore_poison();
        *current = RepairStatus { pending: current.pending, ..status };
    }

    /// The counts of a finished pass.
    pub(crate) fn set_pending(&self, pending: Seen) {
        self.status.lock().ignore_poison().pending = pending;
    }

    /// The answer to an operator.
    pub(crate) fn answer(&self) -> Answer {
        self.status.lock().ignore_poison().clone().answer()
    }

    /// The verification under way or done; begins one if that is wanted and none is under way.
    pub(crate) fn verification(&self, start: bool) -> Verification {
        let mut current = self.lock_verification();
        if start && !current.is_running {
            let (begun, report) = (current.begun + 1, current.report.take());
            *current = Verification { begun, is_running: true, report, ..Verification::default() };
        }
        current.clone()
    }

    /// Whether somebody wants a verification that is not under way yet: the number of it.
    pub(crate) fn wanted_verification(&self, last: u64) -> Option<u64> {
        let current = self.lock_verification();
        (current.is_running && current.begun != last).then_some(current.begun)
    }

    /// Sets how much there is to compare.
    pub(crate) fn expect_shards(&self, shards: u64) {
        self.lock_verification().shards_expected = shards;
    }

    /// Adds compared shards.
    pub(crate) fn compared(&self, shards: u64) {
        self.lock_verification().shards_compared += shards;
    }

    /// The running verification has ended; `None` if it was interrupted.
    pub(crate) fn verified(&self, report: Option<VerifyReport>) {
        let mut current = self.lock_verification();
        current.is_running = false;
        current.report = report;
    }

    /// Whether a repair or a drain can make progress now. Less urgent work waits for it.
    pub(crate) fn is_busy(&self) -> bool {
        let status = self.status.lock().ignore_poison();
        !status.running.is_empty() || status.waiting > 0
    }

    /// How the rebalance under way stands; the record of it is in the tables.
    pub(crate) fn rebalance(&self) -> RebalanceStatus {
        self.rebalance.lock().ignore_poison().clone()
    }

    /// The same, as of now.
    pub(crate) fn set_rebalance(&self, status: RebalanceStatus) {
        *self.rebalance.lock().ignore_poison() = status;
    }

    fn lock_verification(&self) -> MutexGuard<'_, Verification> {
        self.verification.lock().ignore_poison()
    }
}
