//! The queue of rebuilds.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::limits::{Limits, Rates};
use super::pace::Pace;
use super::task::Task;
use crate::id::{ExtentId, NodeId};

/// Pause of an extent after its first failed rebuild. It doubles with each further one.
const REST: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_mins(2);
/// Extents that pause at the same time. Beyond that all pauses are dropped, which only means an early retry.
const RESTING_MAX: usize = 100_000;
/// Waiting tasks that are searched for one whose node has capacity.
const LOOKAHEAD: usize = 256;

/// What the planner has done since it was created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Shards rebuilt and published.
    pub shards: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Failed rebuilds. Each is retried.
    pub failures: u64,
}

/// Waiting and running tasks. There is one task per extent at a time, so that no two rebuilds publish against each
/// other.
#[derive(Debug)]
pub struct Planner {
    limits: Limits,
    pace: Pace,
    /// By spare shards, fewest first.
    waiting: BTreeMap<u8, VecDeque<Task>>,
    queued: HashSet<ExtentId>,
    running: HashMap<ExtentId, Task>,
    on_node: HashMap<NodeId, usize>,
    resting: HashMap<ExtentId, Rest>,
    progress: Progress,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    failures: u32,
    until: Duration,
}

impl Planner {
    /// A planner without tasks. The rate is that of a single node until [`Planner::pace_at`] is called.
    pub fn new(limits: Limits, now: Duration) -> Self {
        Self {
            pace: Pace::new(limits.bytes_per_s_min, limits.bytes_per_s_max, now),
            limits,
            waiting: BTreeMap::new(),
            queued: HashSet::new(),
            running: HashMap::new(),
            on_node: HashMap::new(),
            resting: HashMap::new(),
            progress: Progress::default(),
        }
    }

    /// Whether a task for this extent would be accepted: there is none yet, the extent does not pause, and its class
    /// has capacity.
    pub fn wants(&self, extent: ExtentId, spare: u8, now: Duration) -> bool {
        !self.queued.contains(&extent)
            && !self.running.contains_key(&extent)
            && self.resting.get(&extent).is_none_or(|rest| rest.until <= now)
            && self.waiting.get(&spare).is_none_or(|class| class.len() < self.limits.waiting_max)
    }

    /// Accepts a task if it is wanted.
    pub fn offer(&mut self, task: Task, now: Duration) {
        if self.wants(task.shard.extent, task.spare, now) {
            self.queued.insert(task.shard.extent);
            self.waiting.entry(task.spare).or_default().push_back(task);
        }
    }

    /// The next task that may begin now. It counts as running until [`Planner::done`], [`Planner::failed`] or
    /// [`Planner::dropped`] is called.
    pub fn next(&mut self, now: Duration) -> Option<Task> {
        if self.running.len() >= self.limits.running_max || !self.pace.allows(now) {
            return None;
        }
        let max = self.limits.running_per_node_max;
        let on_node = &self.on_node;
        let has_room = |task: &Task| on_node.get(&task.node).copied().unwrap_or(0) < max;
        let task = self.waiting.values_mut().find_map(|class| {
            let at = class.iter().take(LOOKAHEAD).position(has_room)?;
            class.remove(at)
        })?;
        self.queued.remove(&task.shard.extent);
        *self.on_node.entry(task.node).or_default() += 1;
        self.pace.charge(task.bytes());
        self.running.insert(task.shard.extent, task.clone());
        Some(task)
    }

    /// Records that the rebuild of `extent` is published.
    pub fn done(&mut self, extent: ExtentId) {
        self.resting.remove(&extent);
        self.pace.eased();
        if let Some(task) = self.end(extent) {
            self.progress.shards += 1;
            self.progress.bytes += task.bytes();
        }
    }

    /// Records that the rebuild of `extent` failed; `busy` if only because a disk was busy.
    pub fn failed(&mut self, extent: ExtentId, busy: bool, now: Duration) {
        if busy {
            self.pace.pressed();
        }
        self.end(extent);
        self.progress.failures += 1;
        if self.resting.len() >= RESTING_MAX {
            self.resting.retain(|_, rest| rest.until > now);
        }
        if self.resting.len() >= RESTING_MAX {
            self.resting.clear();
        }
        let rest = self.resting.entry(extent).or_insert(Rest { failures: 0, until: now });
        let wait = REST.saturating_mul(1 << rest.failures.min(10)).min(REST_MAX);
        *rest = Rest { failures: rest.failures.saturating_add(1), until: now + wait };
    }

    /// Records that the rebuild of `extent` is no longer needed.
    pub fn dropped(&mut self, extent: ExtentId) {
        self.end(extent);
    }

    /// Drops all waiting tasks, because the map has changed and with it targets and sources. The tables still have
    /// them.
    pub fn forget_waiting(&mut self) {
        self.waiting.clear();
        self.queued.clear();
    }

    /// Whether fewer tasks wait than may run at the same time, so that more should be found.
    pub fn has_capacity(&self) -> bool {
        self.waiting() < self.limits.running_max
    }

    /// Changes the range of the rate.
    pub fn pace_at(&mut self, rates: Rates) {
        self.pace.bound(rates.min, rates.max);
    }

    /// Whether no task waits or runs.
    pub fn is_idle(&self) -> bool {
        self.queued.is_empty() && self.running.is_empty()
    }

    /// Tasks that wait in memory.
    pub fn waiting(&self) -> usize {
        self.queued.len()
    }

    /// Bytes left to write for the waiting and running tasks.
    pub fn bytes_to_go(&self) -> u64 {
        self.waiting.values().flatten().chain(self.running.values()).map(Task::bytes).sum()
    }

    /// Running tasks.
    pub fn running(&self) -> impl ExactSizeIterator<Item = &Task> {
        self.running.values()
    }

    /// What has been done so far.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The present rate in bytes per second.
    pub fn rate(&self) -> u64 {
        self.pace.rate()
    }

    fn end(&mut self, extent: ExtentId) -> Option<Task> {
        let task = self.running.remove(&extent)?;
        if let Some(count) = self.on_node.get_mut(&task.node) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.on_node.remove(&task.node);
            }
        }
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::super::assess::Why;
    use super::*;
    use crate::geometry::Geometry;
    use crate::id::{DiskNumber, Generation, ProfileId, SessionId};
    use crate::shard::ShardId;

    const NOW: Duration = Duration::from_secs(100);

    fn extent(n: u64) -> ExtentId {
        ExtentId::new(SessionId(1), n)
    }

    fn task(n: u64, spare: u8, node: u8) -> Task {
        Task {
            shard: ShardId { extent: extent(n), index: 0 },
            why: Why::Lost,
            profile: ProfileId(2),
            geometry: Geometry { data_shards: 4, parity_shards: 2, cell_bytes: 65_536, length: 4 << 20 },
            generation: Generation(0),
            from: None,
            target: DiskNumber(u32::from(node)),
            node: NodeId::from_bytes([node; 16]),
            sources: Vec::new(),
            spare,
        }
    }

    fn planner(limits: Limits, tasks: &[Task]) -> Planner {
        let mut planner = Planner::new(limits, NOW);
        for task in tasks {
            planner.offer(task.clone(), NOW);
        }
        planner
    }

    /// The extents given out now.
    fn given(planner: &mut Planner, now: Duration) -> Vec<u64> {
        std::iter::from_fn(|| planner.next(now)).map(|task| task.shard.extent.counter).collect()
    }

    #[test]
    fn the_fewest_survivors_come_first() {
        let tasks = [task(1, 2, 1), task(2, 1, 1), task(3, 0, 1), task(4, 1, 1), task(2, 0, 1)];
        assert_eq!(given(&mut planner(Limits::default(), &tasks), NOW), [3, 2, 4, 1]);
    }

    #[test]
    fn limits_hold_for_the_cluster_and_for_each_node() {
        let tasks: Vec<Task> = (0..10).map(|n| task(n, 1, (n / 5) as u8)).collect();
        let limits = Limits { running_max: 4, running_per_node_max: 3, ..Limits::default() };
        let mut planner = planner(limits, &tasks);
        assert_eq!(given(&mut planner, NOW), [0, 1, 2, 5], "a node that is busy holds up no other");
        planner.done(extent(1));
        assert_eq!(given(&mut planner, NOW), [3]);
        assert_eq!(planner.progress().shards, 1);
    }

    #[test]
    fn the_cap_is_kept() {
        let tasks: Vec<Task> = (0..100).map(|n| task(n, 1, n as u8)).collect();
        let limits = Limits { running_max: 100, bytes_per_s_max: 1 << 20, ..Limits::default() };
        let mut planner = planner(limits, &tasks);
        let mut count = 0;
        for second in 0..20 {
            count += given(&mut planner, NOW + Duration::from_secs(second)).len();
        }
        assert!((19..=22).contains(&count), "shards of one megabyte in twenty seconds at one a second: {count}");
    }

    #[test]
    fn failed_extents_pause_longer_each_time_and_finished_ones_may_return() {
        let mut planner = planner(Limits::default(), &[task(1, 1, 1)]);
        let mut now = NOW;
        for wait in [1, 2, 4, 8] {
            assert_eq!(given(&mut planner, now), [1]);
            planner.offer(task(1, 0, 1), now);
            assert_eq!(planner.waiting(), 0, "one rebuild an extent at a time");
            planner.failed(extent(1), true, now);
            assert!(!planner.wants(extent(1), 0, now + Duration::from_millis(wait * 1000 - 1)));
            now += Duration::from_secs(wait);
            planner.offer(task(1, 0, 1), now);
        }
        assert!(planner.rate() < Limits::default().bytes_per_s_max);
        given(&mut planner, now);
        planner.done(extent(1));
        assert!(planner.wants(extent(1), 0, now));
    }

    #[test]
    fn waiting_tasks_are_bounded_and_urgent_ones_are_still_accepted() {
        let limits = Limits { waiting_max: 10, ..Limits::default() };
        let mut planner = planner(limits, &(0..1000).map(|n| task(n, 2, 1)).collect::<Vec<_>>());
        assert_eq!(planner.waiting(), 10);
        planner.offer(task(5000, 0, 1), NOW);
        assert_eq!(given(&mut planner, NOW)[0], 5000);
    }
}
