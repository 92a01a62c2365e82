//! Moves shards apart that stand closer together than they have to: see [`cairn_core::repair::spread()`].
//!
//! Nothing says which extents those are. So the leader walks over all of them when the map has changed, once there is nothing
//! else to repair, and again until a walk finds none; and from then on now and then, because a gateway that cannot reach a
//! node for a moment writes around it, whatever the map says. The moves go through the planner of repair, behind whatever is
//! more urgent.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{Epoch, ExtentId};
use cairn_core::placement::Domains;
use cairn_core::repair::Task;

use super::survey;
use crate::leader::{Leader, LeaderError};

/// Time without a change of the map before the first walk: a flapping node moves nothing.
const CALM: Duration = Duration::from_secs(5);
/// Shortest rest after a walk that has found something.
const REST_MIN: Duration = Duration::from_millis(100);
/// After a walk that found nothing, the job rests at least this long, and this multiple of the walk's duration.
const SETTLED_REST_MIN: Duration = Duration::from_secs(10);
const SETTLED_REST_FACTOR: u32 = 20;

/// The walks of one lead.
pub(super) struct Spread {
    /// The map that they go by.
    epoch: Epoch,
    /// Where the current walk continues.
    at: Option<ExtentId>,
    /// Whether it has found anything so far.
    found: bool,
    /// When it began.
    began: Duration,
    /// When the next one may.
    not_before: Duration,
    /// Whether the last walk under this map found nothing.
    is_settled: bool,
}

impl Spread {
    pub(super) fn new(now: Duration) -> Self {
        Self { epoch: Epoch(0), at: None, found: false, began: now, not_before: now + CALM, is_settled: false }
    }

    /// Whether no crowded extent is known to this leader.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Whether there is a step to make soon.
    pub(super) fn is_eager(&self) -> bool {
        self.at.is_some() || !self.is_settled
    }

    /// Uses this map from now on: it may offer other places.
    pub(super) fn follow(&mut self, map: &ClusterMap, now: Duration) {
        if map.epoch != self.epoch {
            *self = Self { epoch: map.epoch, ..Self::new(now) };
        }
    }

    /// Looks at the next extents. `is_idle` says that nothing waits or is under way: a walk begins when what the last one
    /// found is carried out.
    pub(super) async fn step(
        &mut self,
        leader: &Leader,
        map: &Arc<ClusterMap>,
        is_idle: bool,
        now: Duration,
    ) -> Result<Vec<Task>, LeaderError> {
        let Some(at) = self.at.or_else(|| (is_idle && now >= self.not_before).then_some(survey::START)) else {
            return Ok(Vec::new());
        };
        if self.at.is_none() {
            (self.began, self.found) = (now, false);
        }
        let map = Arc::clone(map);
        let (tasks, next) = leader.read(move |view| survey::crowded(view, &map, &Domains::of(&map), at)).await?;
        self.found |= !tasks.is_empty();
        self.at = next;
        if next.is_none() {
            self.is_settled = !self.found;
            let took = now.saturating_sub(self.began);
            // Failed tasks wait in the planner; searching for them all the time would not help.
            let rest = if self.found { took.max(REST_MIN) } else { (took * SETTLED_REST_FACTOR).max(SETTLED_REST_MIN) };
            self.not_before = now + rest;
        }
        Ok(tasks)
    }
}
