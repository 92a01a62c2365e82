//! Walks over all extents in bounded steps: what every disk holds, and what may move, for balance or to stand further apart.

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::ExtentId;
use cairn_core::placement::Domains;
use cairn_core::rebalance::{Balance, DiskFill, Loads};
use cairn_core::repair::{ExtentView, Task, spread};
use cairn_protocol::metadata::query::{DiskShare, RebalanceForecast};

use super::scan::after;
use crate::error::StoreError;
use crate::state::tables::extents::ExtentRow;
use crate::state::tables::{Row, View, disk_extents, repair};

/// Extents that one step counts.
const COUNTED_PER_STEP: usize = 20_000;
/// Extents that one step looks at for moves.
const PLANNED_PER_STEP: usize = 2000;

/// Where every walk begins.
pub(super) const START: ExtentId = disk_extents::FIRST;

/// Counts the shards of the next extents per disk; returns where to continue.
pub(super) fn count(view: &View, from: ExtentId, loads: &mut Loads) -> Result<Option<ExtentId>, StoreError> {
    walk(view, from, COUNTED_PER_STEP, |_, row| {
        loads.add(&row.geometry, &row.locations);
        Ok(())
    })
}

/// Plans moves of shards of the next extents; returns them and where to go on.
pub(super) fn plan(
    view: &View,
    map: &ClusterMap,
    from: ExtentId,
    balance: &mut Balance,
) -> Result<(Vec<Task>, Option<ExtentId>), StoreError> {
    let faults = view.repair()?;
    let mut tasks = Vec::new();
    let next = walk(view, from, PLANNED_PER_STEP, |extent, row| {
        // Known damage is repaired first.
        if balance.concerns(&row.locations) && repair::of(&faults, extent)?.is_empty() {
            let view = row.view(extent);
            tasks.extend(balance.plan(map, view));
        }
        Ok(())
    })?;
    Ok((tasks, next))
}

/// Plans moves of shards of the next extents that stand closer together than they have to; returns them and where to go on.
pub(super) fn crowded(
    view: &View,
    map: &ClusterMap,
    domains: &Domains<'_>,
    from: ExtentId,
) -> Result<(Vec<Task>, Option<ExtentId>), StoreError> {
    let faults = view.repair()?;
    let mut tasks = Vec::new();
    let next = walk(view, from, PLANNED_PER_STEP, |extent, row| {
        let view = row.view(extent);
        if let Some(task) = spread(map, domains, view)
            && repair::of(&faults, extent)?.is_empty()
        {
            tasks.push(task);
        }
        Ok(())
    })?;
    Ok((tasks, next))
}

/// What the disks hold, and what would move.
pub(crate) fn forecast(view: &View, map: &ClusterMap) -> Result<(Balance, RebalanceForecast), StoreError> {
    let (mut loads, mut at) = (Loads::default(), Some(START));
    while let Some(from) = at {
        at = count(view, from, &mut loads)?;
    }
    let before = Balance::new(map, &loads);
    let mut after = before.clone();
    let mut forecast = RebalanceForecast { shards: 0, bytes: 0, disks: Vec::new() };
    if !before.is_even() {
        walk(view, START, usize::MAX, |extent, row| {
            let mut locations = row.locations.clone();
            // Each pass moves one shard of an extent; here all passes are made at once.
            while after.concerns(&locations) {
                let view = ExtentView { locations: &locations, ..row.view(extent) };
                let Some(task) = after.plan(map, view) else { break };
                forecast.shards += 1;
                forecast.bytes += task.bytes();
                if let Some(location) = locations.get_mut(usize::from(task.shard.index)) {
                    *location = Some(task.target);
                }
            }
            Ok(())
        })?;
    }
    forecast.disks = shares(&after);
    Ok((before, forecast))
}

/// The disks for those who ask.
pub(crate) fn shares(balance: &Balance) -> Vec<DiskShare> {
    let share = |fill: DiskFill| DiskShare { disk: fill.disk, bytes: fill.bytes, share_bytes: fill.share_bytes };
    balance.disks().into_iter().map(share).collect()
}

fn walk(
    view: &View,
    from: ExtentId,
    limit: usize,
    mut look: impl FnMut(ExtentId, &ExtentRow) -> Result<(), StoreError>,
) -> Result<Option<ExtentId>, StoreError> {
    let mut last = None;
    let table = view.extents()?;
    let mut left = limit;
    for entry in table.range(from.to_bytes()..)? {
        if left == 0 {
            return Ok(last.map(after));
        }
        left -= 1;
        let (key, row) = entry?;
        let extent = ExtentId::from_bytes(key.value());
        look(extent, &ExtentRow::read(row.value())?)?;
        last = Some(extent);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::DiskNumber;
    use cairn_core::profile::FailureDomain;
    use cairn_protocol::metadata::command::{ReportFaults, ShardReport, ShardReportKind};

    use super::*;
    use crate::state::commands::testing::{State, registration};

    #[test]
    fn every_extent_is_counted_and_what_is_known_to_be_bad_does_not_move() {
        let state = State::with_bucket();
        state.apply(registration(1, 3)).unwrap();
        let all: Vec<ExtentId> = (0..40).flat_map(|n| state.put(&format!("k{n}"), 500).run.ids()).collect();
        let (balance, would) = forecast(&state.view(), &state.map()).unwrap();
        assert!(balance.is_even() && would.shards == 0, "everything lies on three of three disks");
        state.apply(registration(2, 3)).unwrap();
        let (balance, would) = forecast(&state.view(), &state.map()).unwrap();
        let held = |shares: Vec<DiskShare>| shares.iter().map(|share| share.bytes).collect::<Vec<_>>();
        let each = held(shares(&balance))[0];
        assert_eq!(held(shares(&balance)), [each, each, each, 0, 0, 0]);
        assert!(would.disks.iter().all(|share| share.bytes.abs_diff(each / 2) <= each / 40), "{would:?}");
        let kind = ShardReportKind::Missing;
        let report = |extent: &ExtentId| ShardReport { extent: *extent, index: 2, disk: DiskNumber(3), kind };
        state.apply(ReportFaults { reports: all.iter().map(report).collect() }).unwrap();
        let mut balance = balance;
        let planned = plan(&state.view(), &state.map(), START, &mut balance).unwrap();
        assert_eq!(planned, (Vec::new(), None));
    }

    #[test]
    fn crowded_extents_are_found_once_there_is_room() {
        let state = State::with_bucket();
        state.apply(registration(1, 2)).unwrap();
        state.apply(registration(2, 1)).unwrap();
        let all: Vec<ExtentId> = (0..40).flat_map(|n| state.put(&format!("k{n}"), 500).run.ids()).collect();
        let look = || {
            let mut map = state.map();
            for profile in &mut map.profiles {
                profile.failure_domain = FailureDomain::Node;
            }
            let (tasks, next) = crowded(&state.view(), &map, &Domains::of(&map), START).unwrap();
            assert_eq!(next, None);
            tasks
        };
        assert_eq!(look(), [], "two nodes for three shards");
        state.apply(registration(3, 1)).unwrap();
        let found = look();
        assert_eq!(found.iter().map(|task| task.shard.extent).collect::<Vec<_>>(), all);
        assert!(found.iter().all(|task| task.target == DiskNumber(4) && task.from != Some(DiskNumber(3))), "{found:?}");
        let kind = ShardReportKind::Missing;
        let report = ShardReport { extent: all[0], index: 2, disk: DiskNumber(3), kind };
        state.apply(ReportFaults { reports: vec![report] }).unwrap();
        assert_eq!(look().len(), all.len() - 1, "what is known to be bad goes first");
    }

    #[test]
    fn a_walk_goes_over_all_extents_in_steps() {
        let state = State::with_bucket();
        let all: Vec<ExtentId> = (0..30).flat_map(|n| state.put(&format!("k{n}"), 500).run.ids()).collect();
        let (mut seen, mut at) = (Vec::new(), Some(START));
        while let Some(from) = at {
            at = walk(&state.view(), from, 7, |extent, _| {
                seen.push(extent);
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(seen, all);
    }
}
