//! Deletes the shards of released content, and then its rows.
//!
//! A pass walks over the reclaim table in bounded steps. Each step finds some extents, orders their shards deleted from
//! every disk that holds them, and finishes those extents. What a disk that is away or does not answer still holds gets an
//! entry of its own, which waits for that disk alone; the extent itself is gone, and holds up neither a drain nor a
//! repair. Deleting twice does no harm, so a step that is cut off is simply done again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
use cairn_core::shard::{Locations, ShardId};
use cairn_protocol::metadata::ExtentRun;
use cairn_protocol::metadata::command::{FinishReclaim, ReclaimId};
use cairn_protocol::storage::StorageDirectory;
use tokio::task::JoinSet;

use super::disk_orders::DiskOrders;
use crate::error::StoreError;
use crate::leader::{Leader, LeaderError};
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::{View, extents, parts, rebuilds, reclaim};

/// Extents that one step looks at.
const EXTENTS_PER_STEP: usize = 256;
/// Entries that one step looks at: entries whose extents are gone already cost nothing else.
const ENTRIES_PER_STEP: usize = 256;

/// Where a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    entry: ReclaimId,
    /// Part number within the entry; 0 for a run.
    part: u32,
    /// Extent within the run or part.
    extent: u64,
    /// Whether all earlier extents of this entry are gone.
    clean: bool,
}

impl Cursor {
    const START: Self = Self::at(ReclaimId { sequence: CommitSequence(0), item: 0 });

    const fn at(entry: ReclaimId) -> Self {
        Self { entry, part: 0, extent: 0, clean: true }
    }

    fn after(entry: ReclaimId) -> Self {
        Self::at(ReclaimId { item: entry.item + 1, ..entry })
    }
}

/// The work of one step on one entry.
#[derive(Debug)]
struct Work {
    entry: ReclaimId,
    extents: Vec<Doomed>,
    /// Whether the entry has no further extents.
    to_the_end: bool,
    /// Whether all extents before these are gone.
    clean: bool,
    /// Whether it is only about a copy that was left behind.
    is_copy: bool,
}

/// An extent, or a part of it, whose shards are to be deleted.
#[derive(Debug)]
struct Doomed {
    id: ExtentId,
    locations: Locations,
    generation: Generation,
}

/// The job in one lead.
pub(super) struct Reclaimer {
    orders: DiskOrders,
    cursor: Cursor,
}

impl Reclaimer {
    pub(super) fn new(storage: StorageDirectory) -> Self {
        Self { orders: DiskOrders::new(storage), cursor: Cursor::START }
    }

    /// Takes one step over the entries that were queued by commit `due` or before; tells whether the pass goes on.
    pub(super) async fn step(&mut self, leader: &Arc<Leader>, due: CommitSequence) -> Result<bool, LeaderError> {
        let (Some(map), cursor) = (leader.map(), self.cursor) else { return Ok(false) };
        let now = leader.now();
        let mut silent = self.orders.unasked(&map, now);
        let ((work, next), proof) = leader.prove(move |view| collect(view, cursor, due)).await?;
        silent.extend(self.orders.delete(&map, by_disk(&work), proof, now).await);
        let mut next = next;
        let mut finishes = JoinSet::new();
        for work in work {
            let all = work.extents.len();
            // What a disk that does not answer holds of an extent waits in an entry of its own; such an entry waits itself.
            let waits = |at: &Locations| work.is_copy && touches(at, &silent);
            let gone = work.extents.into_iter().filter(|doomed| !waits(&doomed.locations));
            let (gone, generations): (Vec<ExtentId>, Vec<Generation>) =
                gone.map(|doomed| (doomed.id, doomed.generation)).unzip();
            let clean = work.clean && gone.len() == all;
            if let Some(next) = next.as_mut().filter(|next| next.entry == work.entry) {
                next.clean = clean;
            }
            let last = clean && work.to_the_end;
            if last || !gone.is_empty() {
                let away = silent.iter().copied().collect();
                let finish = FinishReclaim { entry: work.entry, extents: gone, last, generations, away };
                let leader = Arc::clone(leader);
                finishes.spawn(async move { leader.execute(finish.into()).await });
            }
        }
        while let Some(finished) = finishes.join_next().await {
            finished??;
        }
        self.cursor = next.unwrap_or(Cursor::START);
        Ok(next.is_some())
    }
}

fn by_disk(work: &[Work]) -> HashMap<DiskNumber, Vec<ShardId>> {
    let mut by_disk: HashMap<DiskNumber, Vec<ShardId>> = HashMap::new();
    for doomed in work.iter().flat_map(|work| &work.extents) {
        for (index, disk) in (0u8..).zip(&doomed.locations) {
            if let Some(disk) = disk {
                by_disk.entry(*disk).or_default().push(ShardId { extent: doomed.id, index });
            }
        }
    }
    by_disk
}

fn touches(locations: &Locations, disks: &HashSet<DiskNumber>) -> bool {
    locations.iter().flatten().any(|disk| disks.contains(disk))
}

/// The next step's work from `cursor` on, and where the pass goes on after it; nothing at its end.
fn collect(view: &View, cursor: Cursor, due: CommitSequence) -> Result<(Vec<Work>, Option<Cursor>), StoreError> {
    let table = view.reclaim()?;
    let mut step = Step { view, left: EXTENTS_PER_STEP, all: Vec::new() };
    let mut at = cursor;
    for _ in 0..ENTRIES_PER_STEP {
        let Some((entry, row)) = reclaim::next(&table, at.entry, due)? else { return Ok((step.all, None)) };
        if entry != at.entry {
            at = Cursor::at(entry);
        }
        if let Some(stopped) = step.entry(at, row.garbage)? {
            return Ok((step.all, Some(stopped)));
        }
        at = Cursor::after(entry);
    }
    Ok((step.all, Some(at)))
}

struct Step<'a> {
    view: &'a View,
    left: usize,
    all: Vec<Work>,
}

impl Step<'_> {
    /// Adds the extents of an entry; returns where it stopped if the step is full before the entry's end.
    fn entry(&mut self, at: Cursor, garbage: Garbage) -> Result<Option<Cursor>, StoreError> {
        let is_copy = matches!(garbage, Garbage::Shard { .. });
        let mut work = Work { entry: at.entry, extents: Vec::new(), to_the_end: false, clean: at.clean, is_copy };
        let stopped = match garbage {
            Garbage::Run(run) => self.run(&mut work, run, at.extent)?.map(|extent| Cursor { extent, ..at }),
            Garbage::Shard { extent, index, disk } => {
                work.extents.extend(self.copy(extent, index, disk)?);
                None
            }
            Garbage::Parts(upload) => {
                let mut stopped = None;
                for part in parts::from(&self.view.parts()?, upload, at.part)? {
                    let (number, part) = part?;
                    let skip = if number == at.part { at.extent } else { 0 };
                    let Some(run) = part.run else { continue };
                    if let Some(extent) = self.run(&mut work, run, skip)? {
                        stopped = Some(Cursor { part: number, extent, ..at });
                        break;
                    }
                }
                stopped
            }
        };
        work.to_the_end = stopped.is_none();
        self.all.push(work);
        Ok(stopped)
    }

    /// A copy that was left behind, unless the shard has moved back there since, or is about to.
    fn copy(&mut self, id: ExtentId, index: u8, disk: DiskNumber) -> Result<Option<Doomed>, StoreError> {
        self.left = self.left.saturating_sub(1);
        let row = extents::get(&self.view.extents()?, id)?;
        let (at, generation) = row.map_or((None, Generation::default()), |row| {
            (row.locations.get(usize::from(index)).copied().flatten(), row.generation)
        });
        let rebuild = rebuilds::get(&self.view.rebuilds()?, id, index)?;
        if at == Some(disk) || rebuild.is_some_and(|rebuild| rebuild.target == disk) {
            return Ok(None);
        }
        let mut locations: Locations = vec![None; usize::from(index)];
        locations.push(Some(disk));
        Ok(Some(Doomed { id, locations, generation }))
    }

    /// Adds the extents of a run from the `skip`-th on; returns the first that did not fit.
    fn run(&mut self, work: &mut Work, run: ExtentRun, skip: u64) -> Result<Option<u64>, StoreError> {
        let table = self.view.extents()?;
        for n in skip..run.count() {
            if self.left == 0 {
                return Ok(Some(n));
            }
            self.left -= 1;
            let id = run.first.offset(n);
            if let Some(row) = extents::get(&table, id)? {
                work.extents.push(Doomed { id, locations: row.locations, generation: row.generation });
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;

    /// Walks over the whole table, as a pass does.
    fn pass(state: &State) -> (Vec<ExtentId>, usize, usize) {
        let (mut all, mut ends, mut steps) = (Vec::new(), 0, 0);
        let mut cursor = Some(Cursor::START);
        while let Some(at) = cursor {
            let (work, next) = collect(&state.view(), at, CommitSequence(u64::MAX)).unwrap();
            assert!(work.iter().map(|w| w.extents.len()).sum::<usize>() <= EXTENTS_PER_STEP);
            ends += work.iter().filter(|w| w.to_the_end).count();
            all.extend(work.into_iter().flat_map(|w| w.extents).map(|doomed| doomed.id));
            cursor = next;
            steps += 1;
        }
        (all, ends, steps)
    }

    #[test]
    fn a_pass_sees_every_extent_once_in_bounded_steps() {
        let state = State::with_bucket();
        let mut expected = Vec::new();
        for n in 0..50 {
            let key = format!("k{n}");
            expected.extend(state.put(&key, 500).run.ids());
            state.delete(&key);
        }
        let upload = state.create_upload("m");
        for number in [1, 5, 6] {
            expected.extend(state.put_part("m", upload, number, 500).run.ids());
        }
        state.abort("m", upload);
        let (mut seen, ends, steps) = pass(&state);
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        assert_eq!((ends, steps), (51, 2));
    }

    #[test]
    fn what_is_not_due_waits() {
        let state = State::with_bucket();
        state.put("a", 10);
        state.delete("a");
        let (entry, _) = state.reclaim()[0];
        let before = CommitSequence(entry.sequence.0 - 1);
        assert!(collect(&state.view(), Cursor::START, before).unwrap().0.is_empty());
        assert_eq!(collect(&state.view(), Cursor::START, entry.sequence).unwrap().0.len(), 1);
    }
}
