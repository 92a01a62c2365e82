//! The current pass over the tables: its counts, and when the next one starts.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::repair::Planner;

use super::rebalance::REST_FACTOR;
use super::scan::{self, Cursor};
use crate::leader::{Leader, LeaderError, Seen};
use crate::options::Options;

/// Steps of a pass in one tick: rebuilds that ended are noted in between.
pub(super) const STEPS_PER_TICK: usize = 8;

/// The pass over the tables.
pub(super) struct Pass {
    cursor: Option<Cursor>,
    seen: Seen,
    found: bool,
    began: Duration,
    not_before: Duration,
}

impl Pass {
    pub(super) fn new(now: Duration) -> Self {
        Self { cursor: Some(Cursor::START), seen: Seen::default(), found: false, began: now, not_before: now }
    }

    /// Whether the last pass has ended and found no repairable extent.
    pub(super) fn found_nothing(&self) -> bool {
        self.cursor.is_none() && !self.found
    }

    /// Scans the tables for work. A pass is always finished, so that the most urgent extent is found wherever its row is;
    /// the next one starts when the planner is empty.
    pub(super) async fn scan(
        &mut self,
        leader: &Arc<Leader>,
        map: &Arc<ClusterMap>,
        planner: &mut Planner,
        options: &Options,
        now: Duration,
    ) -> Result<(), LeaderError> {
        for _ in 0..STEPS_PER_TICK {
            let Some(cursor) = self.cursor else {
                if planner.has_capacity() && now >= self.not_before {
                    *self = Self::new(now);
                    continue;
                }
                return Ok(());
            };
            let (reader, own) = (Arc::clone(leader), Arc::clone(map));
            // The planner is moved into the blocking task and back; nothing else uses it meanwhile.
            let lent = std::mem::replace(planner, Planner::new(options.repair, now));
            let looked = tokio::task::spawn_blocking(move || {
                let wants = |extent, spare| lent.wants(extent, spare, now);
                let step = reader.view().and_then(|view| scan::step(&view, &own, cursor, &wants));
                (lent, step)
            });
            let (returned, step) = looked.await?;
            *planner = returned;
            let step = step?;
            self.seen.add(step.seen);
            self.cursor = step.next;
            self.found |= !step.tasks.is_empty();
            for task in step.tasks {
                planner.offer(task, now);
            }
            if step.next.is_none() {
                let took = leader.now().saturating_sub(self.began);
                let rest = if self.found { Duration::ZERO } else { (took * REST_FACTOR).max(options.tick) };
                self.not_before = now + rest;
                leader.repair().set_pending(self.seen);
                return Ok(());
            }
        }
        Ok(())
    }
}
