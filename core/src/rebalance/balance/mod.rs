//! The disks' shares, and the moves toward them.

use super::loads::{Loads, weight};
use crate::cluster_map::{ClusterMap, Disk, DiskState};
use crate::id::DiskNumber;
use crate::placement::{HealthyShard, relocation};
use crate::repair::{ExtentView, Task, Wanted, Why, assess, profile_of};

/// A disk within this many percent of its share counts as even.
pub const TOLERANCE_PERCENT: u64 = 5;
/// Disks are brought closer to their shares than required, to this many percent, so that writes in the meantime do not
/// undo the work.
const GOAL_PERCENT: u64 = 1;

/// What a disk holds, and its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskFill {
    /// The disk.
    pub disk: DiskNumber,
    /// Bytes that it holds once all planned moves are made.
    pub bytes: u64,
    /// Bytes that it would hold if all disks were equally full.
    pub share_bytes: u64,
    capacity_bytes: u64,
    takes: bool,
}

impl DiskFill {
    /// Whether it holds its share, give or take this many percent.
    pub fn is_within(&self, percent: u64) -> bool {
        self.bytes.abs_diff(self.share_bytes) <= part(self.share_bytes, percent)
    }

    fn is_over(&self, percent: u64) -> bool {
        self.bytes > self.share_bytes + part(self.share_bytes, percent)
    }

    fn lacks(&self, percent: u64) -> bool {
        self.bytes < self.share_bytes - part(self.share_bytes, percent)
    }

    /// Whether this disk would still be as full without `bytes` as `target` is with them. Then moving them lowers the
    /// sum of the squared fills, so moves come to an end.
    fn gives(&self, bytes: u64, target: &Self) -> bool {
        let left = u128::from(self.bytes.saturating_sub(bytes)) * u128::from(target.capacity_bytes);
        u128::from(target.bytes + bytes) * u128::from(self.capacity_bytes) <= left
    }
}

fn part(bytes: u64, percent: u64) -> u64 {
    (u128::from(bytes) * u128::from(percent) / 100) as u64
}

/// What the disks hold compared with their shares, and the moves that follow.
#[derive(Debug, Clone)]
pub struct Balance {
    /// By disk number.
    fills: Vec<Option<DiskFill>>,
    /// Disks that take shards and are further below their share than the goal allows.
    lacking: usize,
}

impl Balance {
    /// Shares by capacity what the active and full members hold together. Rebalancing moves nothing from or to other
    /// disks.
    pub fn new(map: &ClusterMap, loads: &Loads) -> Self {
        let takes_part = |disk: &&Disk| !disk.is_leaving() && matches!(disk.state, DiskState::Active | DiskState::Full);
        let disks = || map.disks.iter().filter(takes_part).filter(|disk| disk.capacity_bytes > 0);
        let bytes: u128 = disks().map(|disk| u128::from(loads.of(disk.number))).sum();
        let capacity: u128 = disks().map(|disk| u128::from(disk.capacity_bytes)).sum::<u128>().max(1);
        let fill = |disk: &Disk| DiskFill {
            disk: disk.number,
            bytes: loads.of(disk.number),
            share_bytes: (bytes * u128::from(disk.capacity_bytes) / capacity) as u64,
            capacity_bytes: disk.capacity_bytes,
            takes: disk.state.takes_shards(),
        };
        let mut fills = vec![None; map.disks.last().map_or(0, |last| last.number.0 as usize + 1)];
        for disk in disks() {
            if let Some(place) = fills.get_mut(disk.number.0 as usize) {
                *place = Some(fill(disk));
            }
        }
        let lacking = fills.iter().flatten().filter(|fill| is_lacking(fill)).count();
        Self { fills, lacking }
    }

    /// The disks by number.
    pub fn disks(&self) -> Vec<DiskFill> {
        self.fills.iter().flatten().copied().collect()
    }

    /// Whether every disk is within [`TOLERANCE_PERCENT`] of its share.
    pub fn is_even(&self) -> bool {
        self.fills.iter().flatten().all(|fill| fill.is_within(TOLERANCE_PERCENT))
    }

    /// Bytes above the disks' shares for which no move is planned yet.
    pub fn excess_bytes(&self) -> u64 {
        self.fills.iter().flatten().map(|fill| fill.bytes.saturating_sub(fill.share_bytes)).sum()
    }

    /// Whether an extent with these locations may have a shard to move.
    pub fn concerns(&self, locations: &[Option<DiskNumber>]) -> bool {
        locations.iter().flatten().any(|disk| self.fill(*disk).is_some_and(|fill| self.is_source(fill)))
    }

    /// Plans the move of one shard of a healthy extent, from the fullest of its disks to one below its share. Placement
    /// chooses the disk and keeps the failure-domain rule (I26). From now on the move counts as made.
    pub fn plan(&mut self, map: &ClusterMap, extent: ExtentView<'_>) -> Option<Task> {
        let standing = assess(map, extent, &[]);
        if standing.is_at_risk() || !standing.wanted.is_empty() {
            // Repair goes first.
            return None;
        }
        let on = (0u8..).zip(extent.locations.iter().copied()).filter_map(|(index, disk)| Some((index, disk?)));
        let mut sources: Vec<(u8, DiskFill)> =
            on.filter_map(|(index, disk)| Some((index, *self.fill(disk)?))).collect();
        sources.retain(|(_, fill)| self.is_source(fill));
        sources.sort_unstable_by(|(_, a), (_, b)| compare(b, a));
        let (bytes, profile) = (weight(extent.geometry), profile_of(map, extent));
        for (index, source) in sources {
            let others = (0u8..).zip(extent.locations).filter(|(other, _)| *other != index);
            let others: Vec<DiskNumber> = others.filter_map(|(_, disk)| *disk).collect();
            let takes = |disk: &Disk| self.fill(disk.number).is_some_and(|fill| takes(fill, &source, bytes));
            if let Some(target) =
                relocation(map, &profile, extent.id, HealthyShard { on: source.disk, others: &others }, takes)
            {
                self.count(source.disk, |held| held.saturating_sub(bytes));
                self.count(target, |held| held + bytes);
                let wanted = Wanted { index, from: Some(source.disk), why: Why::Uneven };
                return Some(Task::relocate(map, extent, wanted, target));
            }
        }
        None
    }

    /// A disk gives if it is clearly too full. One that is slightly too full also gives while another is clearly below
    /// its share.
    fn is_source(&self, fill: &DiskFill) -> bool {
        fill.is_over(GOAL_PERCENT) || (self.lacking > 0 && fill.is_over(0))
    }

    fn fill(&self, disk: DiskNumber) -> Option<&DiskFill> {
        self.fills.get(disk.0 as usize)?.as_ref()
    }

    fn count(&mut self, disk: DiskNumber, change: impl FnOnce(u64) -> u64) {
        if let Some(Some(fill)) = self.fills.get_mut(disk.0 as usize) {
            self.lacking -= usize::from(is_lacking(fill));
            fill.bytes = change(fill.bytes);
            self.lacking += usize::from(is_lacking(fill));
        }
    }
}

fn is_lacking(fill: &DiskFill) -> bool {
    fill.takes && fill.lacks(GOAL_PERCENT)
}

/// Whether a disk may take what `source` gives: it is below its share, and one of the two is clearly off.
fn takes(fill: &DiskFill, source: &DiskFill, bytes: u64) -> bool {
    let is_worth_it = source.is_over(GOAL_PERCENT) || fill.lacks(GOAL_PERCENT);
    fill.takes && fill.lacks(0) && is_worth_it && source.gives(bytes, fill)
}

/// Orders disks by fill.
fn compare(a: &DiskFill, b: &DiskFill) -> std::cmp::Ordering {
    let full = |a: &DiskFill, b: &DiskFill| u128::from(a.bytes) * u128::from(b.capacity_bytes);
    full(a, b).cmp(&full(b, a)).then(b.disk.cmp(&a.disk))
}

#[cfg(test)]
mod tests;
