//! Finds repair work, in bounded steps.
//!
//! There is no queue of work beside what the tables say anyway: the `repair` table has the shards that somebody found
//! bad, and `disk_extents` has those of a disk that has to be emptied. So nothing has to be entered when a disk fails or
//! is drained, nothing is left over when it returns, and a new leader knows as much as the old one.

use cairn_core::cluster_map::{ClusterMap, Disk};
use cairn_core::id::{DiskNumber, ExtentId};
use cairn_core::repair::{Blocked, Task, assess};

use crate::error::StoreError;
use crate::leader::Seen;
use crate::state::tables::{View, disk_extents, extents, repair};

/// Extents that one step looks at.
const EXTENTS_PER_STEP: usize = 2000;

/// Where a pass stands: in the table of faults first, then on one leaving disk after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    disk: Option<DiskNumber>,
    extent: ExtentId,
}

impl Cursor {
    pub(super) const START: Self = Self { disk: None, extent: disk_extents::FIRST };
}

/// The outcome of one step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) tasks: Vec<Task>,
    pub(super) seen: Seen,
    /// Where to continue; `None` at the end of the pass.
    pub(super) next: Option<Cursor>,
}

/// The inputs of a scan.
struct Look<'a> {
    view: &'a View,
    map: &'a ClusterMap,
    /// Whether the planner wants a task of an extent with this many spare shards now.
    wants: &'a dyn Fn(ExtentId, u8) -> bool,
}

/// Looks at the next extents. Choosing disks takes far longer than seeing what is wrong, so it is done only where a task
/// is wanted: most extents of a lost disk wait in the tables for a later pass.
pub(super) fn step(
    view: &View,
    map: &ClusterMap,
    cursor: Cursor,
    wants: &dyn Fn(ExtentId, u8) -> bool,
) -> Result<Step, StoreError> {
    let look = Look { view, map, wants };
    let mut step = Step { tasks: Vec::new(), seen: Seen::default(), next: None };
    let mut at = cursor;
    let mut left = EXTENTS_PER_STEP;
    loop {
        let done = match at.disk {
            None => look.faults(&mut step, &mut at, &mut left)?,
            Some(disk) => look.leaving(disk, &mut step, &mut at, &mut left)?,
        };
        if !done {
            step.next = Some(at);
            return Ok(step);
        }
        let after = at.disk.map_or(0, |disk| disk.0);
        let Some(disk) = map.disks.iter().find(|disk| disk.is_leaving() && disk.number.0 > after) else {
            return Ok(step);
        };
        at = Cursor { disk: Some(disk.number), extent: disk_extents::FIRST };
    }
}

impl Look<'_> {
    /// Walks over the table of faults; false if the step is full before its end.
    fn faults(&self, step: &mut Step, at: &mut Cursor, left: &mut usize) -> Result<bool, StoreError> {
        let table = self.view.repair()?;
        while let Some(extent) = repair::next(&table, at.extent)? {
            if *left == 0 {
                return Ok(false);
            }
            *left -= 1;
            at.extent = after(extent);
            let reported = repair::of(&table, extent)?;
            self.look(step, extent, &reported, |_| true)?;
        }
        Ok(true)
    }

    /// Walks over the extents of a leaving disk; false if the step is full before their end. Each extent is looked at once
    /// in a pass: with its faults if it has any, else on the first of its leaving disks.
    fn leaving(
        &self,
        disk: DiskNumber,
        step: &mut Step,
        at: &mut Cursor,
        left: &mut usize,
    ) -> Result<bool, StoreError> {
        let (table, faults) = (self.view.disk_extents()?, self.view.repair()?);
        let leaves_before = |other: DiskNumber| other < disk && self.map.disk(other).is_some_and(Disk::is_leaving);
        for extent in disk_extents::from(&table, disk, at.extent)? {
            let extent = extent?;
            if *left == 0 {
                return Ok(false);
            }
            *left -= 1;
            at.extent = after(extent);
            if repair::of(&faults, extent)?.is_empty() {
                let first = |locations: &[Option<DiskNumber>]| !locations.iter().flatten().any(|d| leaves_before(*d));
                self.look(step, extent, &[], first)?;
            }
        }
        Ok(true)
    }

    fn look(
        &self,
        step: &mut Step,
        extent: ExtentId,
        reported: &[u8],
        counts: impl Fn(&[Option<DiskNumber>]) -> bool,
    ) -> Result<(), StoreError> {
        let Some(row) = extents::get(&self.view.extents()?, extent)? else { return Ok(()) };
        if !counts(&row.locations) {
            return Ok(());
        }
        let view = row.view(extent);
        let standing = assess(self.map, view, reported);
        step.seen.extents += u64::from(!standing.wanted.is_empty());
        step.seen.bytes += standing.wanted.len() as u64 * cairn_core::shard::body_bytes(&row.geometry);
        if standing.spare().is_some_and(|spare| !(self.wants)(extent, spare)) {
            return Ok(());
        }
        let mut blocked = None;
        for wanted in standing.wanted {
            // One rebuild an extent at a time: its further shards have their turn in a later pass.
            match Task::plan(self.map, view, wanted, reported) {
                Ok(task) => {
                    step.tasks.push(task);
                    return Ok(());
                }
                Err(why) => blocked = Some(why),
            }
        }
        match blocked {
            Some(Blocked::Lost { .. }) => step.seen.lost += 1,
            Some(Blocked::NoPlace(_)) => step.seen.without_place += 1,
            None => {}
        }
        Ok(())
    }
}

/// The id that follows.
pub(super) fn after(extent: ExtentId) -> ExtentId {
    ExtentId::from_bytes(u128::from_be_bytes(extent.to_bytes()).saturating_add(1).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::DiskEvent;
    use cairn_protocol::metadata::command::{ChangeDisks, ReportFaults, SetDiskStates, ShardReport, ShardReportKind};

    use super::*;
    use crate::state::commands::testing::{State, disk_id, registration};
    use cairn_core::cluster_map::DiskState;

    /// What a whole pass finds: the tasks as (extent, shard, target), sorted, and the counts.
    fn pass(state: &State) -> (Vec<(ExtentId, u8, u32)>, Seen) {
        let (mut tasks, mut seen, mut cursor) = (Vec::new(), Seen::default(), Some(Cursor::START));
        while let Some(at) = cursor {
            let found = step(&state.view(), &state.map(), at, &|_, _| true).unwrap();
            tasks.extend(found.tasks.iter().map(|t| (t.shard.extent, t.shard.index, t.target.0)));
            seen.add(Seen { bytes: 0, ..found.seen });
            cursor = found.next;
        }
        tasks.sort_unstable();
        (tasks, seen)
    }

    fn drain(state: &State, disk: u8) {
        let changes = vec![(disk_id(1, disk), DiskEvent::Drain)];
        state.apply(ChangeDisks { changes, force: false }).unwrap();
    }

    #[test]
    fn every_extent_is_found_once_whatever_is_wrong_with_it() {
        let state = State::with_bucket();
        state.apply(registration(1, 5)).unwrap();
        let mut all: Vec<ExtentId> = (0..300).flat_map(|n| state.put(&format!("k{n}"), 500).run.ids()).collect();
        assert_eq!(pass(&state).0, []);
        let kind = ShardReportKind::Missing;
        let report = |extent: &ExtentId| ShardReport { extent: *extent, index: 2, disk: DiskNumber(3), kind };
        state.apply(ReportFaults { reports: all.iter().take(7).map(report).collect() }).unwrap();
        let (tasks, seen) = pass(&state);
        assert_eq!(tasks, all.iter().take(7).map(|e| (*e, 2, 3)).collect::<Vec<_>>(), "bad shards stay where they are");
        assert_eq!(seen.extents, 7);
        drain(&state, 0);
        drain(&state, 1);
        let (tasks, seen) = pass(&state);
        all.sort_unstable();
        assert_eq!(tasks.iter().map(|t| t.0).collect::<Vec<_>>(), all);
        assert!(all.len() > EXTENTS_PER_STEP, "more than one step");
        assert_eq!(seen.extents, all.len() as u64);
    }

    #[test]
    fn what_is_not_wanted_now_is_counted_and_not_planned() {
        let state = State::with_bucket();
        state.apply(registration(1, 4)).unwrap();
        let wanted = state.put("a", 10).run.first;
        state.put("b", 10);
        drain(&state, 0);
        let wants = |extent, spare| extent == wanted && spare == 2;
        let found = step(&state.view(), &state.map(), Cursor::START, &wants).unwrap();
        assert_eq!((found.seen.extents, found.tasks.len()), (2, 1));
        assert_eq!((found.tasks[0].shard.extent, found.tasks[0].spare), (wanted, 2));
    }

    #[test]
    fn what_cannot_be_done_is_counted() {
        let state = State::with_bucket();
        state.apply(registration(1, 3)).unwrap();
        state.put("a", 10);
        drain(&state, 0);
        assert_eq!(pass(&state).1, Seen { extents: 1, bytes: 0, lost: 0, without_place: 1 });
        let states = (0..3).map(|n| (disk_id(1, n), DiskState::Unavailable)).collect();
        state.apply(SetDiskStates { states }).unwrap();
        assert_eq!(pass(&state).1.lost, 1, "I8: it stays listed");
    }
}
