//! The rebalance of one lead: surveys, passes of moves, and its end.
//!
//! Nothing but the record of [`crate::state::tables::rebalance`] outlives a leader: what every disk holds is counted again, and
//! what has moved is where it is. A survey counts; a pass plans moves and waits for them; the next survey says whether the
//! disks are even by now. Whatever repair or a drain has to do goes first.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{CommitSequence, DiskNumber, Epoch, ExtentId};
use cairn_core::rebalance::{Balance, Loads, TOLERANCE_PERCENT};
use cairn_core::repair::{Limits, Planner, Rates, Task};
use cairn_protocol::metadata::command::{EndRebalance, RebalanceEnd};
use cairn_protocol::metadata::query::{RebalanceRecord, RebalanceStatus};

use super::survey;
use crate::error::StoreError;
use crate::leader::{Leader, LeaderError};

/// After a pass that found nothing to do, the job rests for this multiple of the pass's duration, so that extents that cannot
/// move do not keep a core busy.
pub(super) const REST_FACTOR: u32 = 10;
/// Limit of moves waiting in memory; the walk continues below it.
const WAITING_MAX: usize = 256;
/// Passes after which a rebalance gives up: clients unbalance the disks faster than it balances them.
const PASSES_MAX: u32 = 100;
/// Disks that the text about a rebalance that is stuck names.
const NAMED_MAX: usize = 5;

/// A rebalance under way.
pub(super) struct Rebalance {
    pub(super) id: CommitSequence,
    pub(super) planner: Planner,
    epoch: Epoch,
    stage: Stage,
    /// The balance of the last survey, with the moves planned since.
    balance: Option<Balance>,
    passes: u32,
    /// Moves that the pass has planned; `None` if it was made under another map.
    planned: Option<u64>,
    /// Shards that had been published when it began.
    published_before: u64,
    began: Duration,
    not_before: Duration,
    is_waiting: bool,
    /// Whether the walk could go on at once.
    pub(super) is_eager: bool,
}

enum Stage {
    Survey(ExtentId, Loads),
    Pass(Option<ExtentId>),
}

impl Stage {
    fn start() -> Self {
        Self::Survey(survey::START, Loads::default())
    }
}

impl Rebalance {
    pub(super) fn new(record: &RebalanceRecord, limits: Limits, now: Duration) -> Self {
        Self {
            id: record.id,
            planner: Planner::new(limits, now),
            epoch: Epoch(0),
            stage: Stage::start(),
            balance: None,
            passes: 0,
            planned: None,
            published_before: 0,
            began: now,
            not_before: now,
            is_waiting: false,
            is_eager: false,
        }
    }

    /// Takes over what the operator or the cluster has changed. The rates are those of repair; the operator's word goes
    /// before them.
    pub(super) fn follow(&mut self, record: &RebalanceRecord, rates: Rates, map: &ClusterMap) {
        self.planner.pace_at(record.bytes_per_s_max.map_or(rates, |max| Rates { max, ..rates }));
        if map.epoch != self.epoch {
            // Shares and targets may be others now.
            self.epoch = map.epoch;
            self.planner.forget_waiting();
            (self.stage, self.balance, self.planned) = (Stage::start(), None, None);
        }
    }

    /// One step; returns why the rebalance has ended, if it has, and whether there is a further step to make now.
    pub(super) async fn step(
        &mut self,
        leader: &Leader,
        map: &Arc<ClusterMap>,
        now: Duration,
    ) -> Result<(Option<RebalanceEnd>, bool), LeaderError> {
        if now < self.not_before {
            return Ok((None, false));
        }
        match &mut self.stage {
            Stage::Survey(at, loads) => {
                let (at, mut own) = (*at, std::mem::take(loads));
                let counted = leader.read(move |view| {
                    let next = survey::count(view, at, &mut own)?;
                    Ok::<_, StoreError>((next, own))
                });
                let (next, counted) = counted.await?;
                if let Some(next) = next {
                    self.stage = Stage::Survey(next, counted);
                    return Ok((None, true));
                }
                let balance = Balance::new(map, &counted);
                let end = self.conclude(&balance);
                (self.stage, self.balance, self.planned) = (Stage::Pass(Some(survey::START)), Some(balance), Some(0));
                (self.passes, self.published_before) = (self.passes + 1, self.planner.progress().shards);
                self.began = now;
                Ok((end, true))
            }
            Stage::Pass(Some(at)) => {
                if self.planner.waiting() >= WAITING_MAX {
                    return Ok((None, false));
                }
                let (map, at) = (Arc::clone(map), *at);
                let Some(mut balance) = self.balance.take() else {
                    self.stage = Stage::start();
                    return Ok((None, true));
                };
                let looked = leader.read(move |view| {
                    let (tasks, next) = survey::plan(view, &map, at, &mut balance)?;
                    Ok::<_, StoreError>((tasks, next, balance))
                });
                let (tasks, next, balance) = looked.await?;
                (self.stage, self.balance) = (Stage::Pass(next), Some(balance));
                self.planned = self.planned.map(|planned| planned + tasks.len() as u64);
                for task in tasks {
                    self.planner.offer(task, now);
                }
                Ok((None, true))
            }
            Stage::Pass(None) => {
                if self.planner.waiting() > 0 || self.planner.running().len() > 0 {
                    return Ok((None, false));
                }
                self.stage = Stage::start();
                if self.planned > Some(0) && self.planner.progress().shards == self.published_before {
                    // All of it failed: the cause may need a while.
                    self.not_before = now + now.saturating_sub(self.began) * REST_FACTOR;
                }
                Ok((None, true))
            }
        }
    }

    /// Why a rebalance is over whose disks stand like this after its passes so far.
    fn conclude(&self, balance: &Balance) -> Option<RebalanceEnd> {
        if balance.is_even() {
            return Some(RebalanceEnd::Even);
        }
        let uneven = || describe(balance);
        if self.planned == Some(0) {
            return Some(RebalanceEnd::Stuck(format!(
                "{}: nothing more can move without putting two shards of an object on one disk, or more of them into one \
                 failure domain than now; further disks or nodes help, or smaller profiles",
                uneven()
            )));
        }
        (self.passes >= PASSES_MAX).then(|| {
            RebalanceEnd::Stuck(format!("{} after {PASSES_MAX} passes: clients write faster than it moves", uneven()))
        })
    }

    /// The next move, if one may begin now.
    pub(super) fn next(&mut self, now: Duration) -> Option<Task> {
        self.planner.next(now)
    }

    /// Whether a repair or a drain has priority.
    pub(super) fn wait(&mut self, is_waiting: bool) {
        self.is_waiting = is_waiting;
    }

    pub(super) fn status(&self) -> RebalanceStatus {
        let excess = self.balance.as_ref().map_or(0, Balance::excess_bytes);
        RebalanceStatus {
            record: None,
            is_waiting: self.is_waiting,
            passes: self.passes,
            left_bytes: excess + self.planner.bytes_to_go(),
            running: self.planner.running().len() as u64,
            failures: self.planner.progress().failures,
            disks: self.balance.as_ref().map_or_else(Vec::new, survey::shares),
            forecast: None,
        }
    }
}

/// Ends the rebalance `id`.
pub(super) async fn end(leader: &Leader, id: CommitSequence, end: RebalanceEnd) -> Result<(), LeaderError> {
    tracing::info!(?end, "the rebalance has ended");
    leader.execute(EndRebalance { rebalance: Some(id), end }.into()).await.map(drop)
}

/// The disks that are off their share, the first few by name.
fn describe(balance: &Balance) -> String {
    let off: Vec<DiskNumber> =
        balance.disks().iter().filter(|fill| !fill.is_within(TOLERANCE_PERCENT)).map(|fill| fill.disk).collect();
    let mut names: Vec<String> = off.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if off.len() > NAMED_MAX {
        names.push(format!("{} more", off.len() - NAMED_MAX));
    }
    let disks = if off.len() == 1 { "disk" } else { "disks" };
    format!("{disks} {} more than {TOLERANCE_PERCENT} % off the share", names.join(", "))
}
