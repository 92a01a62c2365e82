//! See [`ReplaceShard`].

use crate::state::stored::ReplaceShard;
use cairn_core::id::Generation;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::body;
use super::context::Context;
use super::release::release;
use crate::error::Refused;
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::{Row, Tables, extents, rebalance, rebuilds};

pub(super) fn apply(tables: &mut Tables<'_>, command: &ReplaceShard, context: Context) -> Result<Outcome, Refused> {
    let (extent, index) = (command.rebuild.extent, command.rebuild.index);
    let stale = |why: &str| Refused::from(Rejection::Stale(format!("extent {extent}, shard {index}: {why}")));
    let rebuild = rebuilds::get(&tables.rebuilds, extent, index)?
        .filter(|rebuild| rebuild.grant == command.rebuild.grant)
        .ok_or_else(|| stale("the rebuild was ended"))?;
    let mut row = extents::get(&tables.extents, extent)?.ok_or_else(|| stale("the extent is gone"))?;
    if row.generation != rebuild.generation {
        return Err(stale("the extent's shards have moved"));
    }
    if tables.map()?.is_some_and(|map| body::is_gone(&map, rebuild.target)) {
        return Err(stale("its new disk has left the cluster"));
    }
    let moves = command.rebalance.is_some();
    let rebalance = rebalance::running(&tables.meta)?.filter(|record| command.rebalance == Some(record.id));
    if moves && rebalance.is_none() {
        return Err(stale("the rebalance has ended"));
    }
    let Some(location) = row.locations.get_mut(usize::from(index)) else { return Err(stale("there is no such shard")) };

    let old = location.replace(rebuild.target);
    row.generation = Generation(row.generation.0.wrapping_add(1));
    let key = extent.to_bytes();
    tables.extents.insert(key, row.to_bytes().as_slice())?;
    if let Some(old) = old.filter(|old| *old != rebuild.target) {
        tables.disk_extents.remove((old.0, key))?;
        let garbage = Garbage::Shard { extent, index, disk: old };
        release(tables, context, 0, command.release.then_some(garbage))?;
    }
    if let Some(mut record) = rebalance {
        record.moved_shards += 1;
        record.moved_bytes += cairn_core::shard::body_bytes(&row.geometry);
        rebalance::put(&mut tables.meta, &record)?;
    }
    tables.disk_extents.insert((rebuild.target.0, key), ())?;
    tables.repair.remove((key, index))?;
    tables.rebuilds.remove((key, index))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::DiskEvent;
    use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
    use cairn_core::shard::ShardId;
    use cairn_protocol::metadata::command::{
        ChangeDisks, EndRebalance, EndRebuilds, FinishReclaim, GrantRebuild, RebalanceEnd, RebuildId, ReplaceShard,
        ReportFaults, ShardReport, ShardReportKind, StartRebalance,
    };
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::{State, disk_id, registration};
    use crate::state::queries::classify_shards;
    use crate::state::tables::extents::{self, ExtentRow};
    use crate::state::tables::rebalance;

    fn row(state: &State, extent: ExtentId) -> ExtentRow {
        extents::get(&state.view().extents().unwrap(), extent).unwrap().unwrap()
    }

    fn grant(state: &State, extent: ExtentId, index: u8, target: u32) -> Result<RebuildId, Rejection> {
        let generation = row(state, extent).generation;
        let target = DiskNumber(target);
        match state.apply(GrantRebuild { extent, index, target, generation })? {
            Outcome::RebuildGranted(grant) => Ok(RebuildId { extent, index, grant }),
            other => panic!("{other:?}"),
        }
    }

    fn publish(rebuild: RebuildId) -> ReplaceShard {
        ReplaceShard { rebuild, release: true, rebalance: None }
    }

    /// An object on disks 1, 2 and 3 of four, with shard 1 reported as bad.
    fn with_a_fault() -> (State, ExtentId) {
        let state = State::with_bucket();
        state.apply(registration(1, 4)).unwrap();
        let extent = state.put("a", 10).run.first;
        let report = ShardReport { extent, index: 1, disk: DiskNumber(2), kind: ShardReportKind::Corrupt };
        state.apply(ReportFaults { reports: vec![report] }).unwrap();
        (state, extent)
    }

    /// I11: of two rebuilds granted one after the other, one is published.
    #[test]
    fn a_rebuild_is_published_once_and_moves_all_rows() {
        let (state, extent) = with_a_fault();
        let rebuild = grant(&state, extent, 1, 4).unwrap();
        assert!(matches!(grant(&state, extent, 1, 4), Err(Rejection::Stale(_))), "one at a time");
        state.apply(publish(rebuild)).unwrap();
        let row = row(&state, extent);
        assert_eq!(row.locations, [1, 4, 3].map(|n| Some(DiskNumber(n))));
        assert_eq!((row.generation, state.repair().len(), state.disk_extents()), (Generation(1), 0, 3));
        assert_eq!(state.reclaim().len(), 1, "the old copy is released");
        assert!(matches!(state.refused(publish(rebuild)), Rejection::Stale(_)));
    }

    /// I27: a rebuild does not end on a disk that was removed meanwhile, and none begins there.
    #[test]
    fn nothing_is_rebuilt_on_a_disk_that_has_left() {
        let (state, extent) = with_a_fault();
        let rebuild = grant(&state, extent, 1, 4).unwrap();
        for event in [DiskEvent::Drain, DiskEvent::Remove] {
            state.apply(ChangeDisks { changes: vec![(disk_id(1, 3), event)], force: false }).unwrap();
        }
        assert!(matches!(state.refused(publish(rebuild)), Rejection::Stale(_)));
        state.apply(EndRebuilds { rebuilds: vec![rebuild] }).unwrap();
        assert!(matches!(grant(&state, extent, 1, 4), Err(Rejection::Stale(_))));
    }

    #[test]
    fn stale_plans_are_refused() {
        let (state, extent) = with_a_fault();
        let target = DiskNumber(4);
        let plan = GrantRebuild { extent, index: 1, target, generation: Generation(9) };
        let gone = GrantRebuild { extent: extent.offset(77), generation: Generation(0), ..plan.clone() };
        let twice = GrantRebuild { target: DiskNumber(3), generation: Generation(0), ..plan.clone() };
        for bad in [plan, gone, twice] {
            assert!(matches!(state.refused(bad), Rejection::Stale(_)));
        }
        let ended = grant(&state, extent, 1, 4).unwrap();
        let other = RebuildId { grant: CommitSequence(ended.grant.0 + 1), ..ended };
        state.apply(EndRebuilds { rebuilds: vec![other] }).unwrap();
        state.apply(EndRebuilds { rebuilds: vec![ended] }).unwrap();
        assert!(matches!(state.refused(publish(ended)), Rejection::Stale(_)), "the loser cannot publish");
        let second = grant(&state, extent, 1, 4).unwrap();
        state.apply(publish(second)).unwrap();
    }

    /// A stopped rebalance moves nothing more, even if a move is running.
    #[test]
    fn a_move_is_counted_by_its_rebalance_and_refused_once_that_has_ended() {
        let (state, extent) = with_a_fault();
        let start = || state.apply(StartRebalance { bytes_per_s_max: None, reencodes: false }).unwrap();
        let record = || rebalance::get(&state.view().meta().unwrap()).unwrap().unwrap();
        start();
        let id = record().id;
        let rebuild = grant(&state, extent, 1, 4).unwrap();
        let publish = |rebuild| ReplaceShard { rebuild, release: true, rebalance: Some(id) };
        state.apply(publish(rebuild)).unwrap();
        assert_eq!((record().moved_shards, record().moved_bytes), (1, 10 + 32));
        let rebuild = grant(&state, extent, 1, 2).unwrap();
        state.apply(EndRebalance { rebalance: None, end: RebalanceEnd::Stopped }).unwrap();
        assert!(matches!(state.refused(publish(rebuild)), Rejection::Stale(_)));
        start();
        assert!(matches!(state.refused(publish(rebuild)), Rejection::Stale(_)), "that is another rebalance");
        assert_eq!(record().moved_shards, 0);
    }

    /// I13: a rebuilt shard is garbage only if its rebuild has ended unpublished.
    #[test]
    fn an_unpublished_shard_is_garbage_only_once_its_rebuild_has_ended() {
        let (state, extent) = with_a_fault();
        let garbage = |disk| {
            let shard = ShardId { extent, index: 1 };
            classify_shards::classify_shards(&state.view(), disk_id(1, disk), &[shard]).unwrap()[0]
        };
        assert!(garbage(3), "nobody has allowed it there");
        let rebuild = grant(&state, extent, 1, 4).unwrap();
        assert!(!garbage(3) && !garbage(1));
        state.apply(EndRebuilds { rebuilds: vec![rebuild] }).unwrap();
        assert!(garbage(3));
        let rebuild = grant(&state, extent, 1, 4).unwrap();
        state.apply(publish(rebuild)).unwrap();
        assert!(!garbage(3));
        assert!(garbage(1), "the old copy");
    }

    /// I29: an extent that moves during its reclaim keeps its row until the new location is empty too.
    #[test]
    fn reclaim_keeps_the_row_of_a_moved_extent() {
        let (state, extent) = with_a_fault();
        state.delete("a");
        let (entry, _) = state.reclaim()[0];
        let rebuild = grant(&state, extent, 1, 4).unwrap();
        state.apply(publish(rebuild)).unwrap();
        let finish = |generation| FinishReclaim {
            entry,
            extents: vec![extent],
            last: true,
            generations: vec![Generation(generation)],
            away: Vec::new(),
        };
        state.apply(finish(0)).unwrap();
        assert_eq!((state.extents(), state.reclaim().len()), (1, 2));
        state.apply(finish(1)).unwrap();
        assert_eq!((state.extents(), state.reclaim().len(), state.disk_extents()), (0, 1, 0));
    }
}
