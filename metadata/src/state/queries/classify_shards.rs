//! See [`cairn_protocol::metadata::query::ClassifyShards`].

use std::collections::HashMap;

use cairn_core::id::{DiskId, DiskNumber};
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::query::RestoreHold;

use crate::error::StoreError;
use crate::state::tables::{View, abandoned, cluster_map, extents, meta, rebuilds, sessions};

/// For each shard on `disk`, whether it is provably garbage (I13).
///
/// Without a row for its extent, a shard is garbage once its writer has given the extent up, or the session that wrote it
/// can commit nothing more. With a row, it is garbage if the row locates this shard elsewhere: a writer gave up on the
/// disk, and the commit stands without it. A shard that is being rebuilt on the disk is not garbage until the rebuild has
/// ended. A restored service knows nothing of writes after its backup, so it calls nothing garbage that may be one of them.
pub(crate) fn classify_shards(view: &View, disk: DiskId, shards: &[ShardId]) -> Result<Vec<bool>, StoreError> {
    let (table, open, counters) = (view.extents()?, view.sessions()?, view.counters()?);
    let (rebuilds, given_up) = (view.rebuilds()?, view.abandoned()?);
    let map = cluster_map::get(&view.cluster_map()?)?;
    let number = map.as_ref().and_then(|map| map.disk_by_id(disk)).map(|disk| disk.number);
    let meta = view.meta()?;
    let (hold, group) = (meta::get::<RestoreHold>(&meta, meta::RESTORED)?, meta::group(&meta)?);
    let mut ended = HashMap::new();
    let mut garbage = Vec::with_capacity(shards.len());
    for shard in shards {
        let session = shard.extent.session;
        let rebuild = rebuilds::get(&rebuilds, shard.extent, shard.index)?;
        if hold.as_ref().is_some_and(|hold| hold.keeps(session, number))
            || rebuild.is_some_and(|rebuild| number == Some(rebuild.target))
        {
            garbage.push(false);
            continue;
        }
        garbage.push(match extents::get(&table, shard.extent)? {
            Some(row) => number.is_some_and(|disk| lies_elsewhere(&row.locations, shard.index, disk)),
            None if abandoned::contains(&given_up, shard.extent)? => true,
            None => match ended.get(&session) {
                Some(known) => *known,
                None => *ended.entry(session).or_insert(sessions::has_ended(&open, &counters, group, session)?),
            },
        });
    }
    Ok(garbage)
}

fn lies_elsewhere(locations: &[Option<DiskNumber>], index: u8, disk: DiskNumber) -> bool {
    locations.get(usize::from(index)).is_none_or(|location| *location != Some(disk))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{ExtentId, SessionId};
    use cairn_protocol::metadata::command::EndSession;

    use super::*;
    use crate::state::commands::testing::{State, disk_id, registration};

    fn first_shard(extent: ExtentId) -> ShardId {
        ShardId { extent, index: 0 }
    }

    #[test]
    fn only_unreferenced_extents_of_ended_sessions_are_garbage() {
        let state = State::with_bucket();
        let committed = state.put("a", 10).run.first;
        let deleted = state.put("b", 10).run.first;
        state.delete("b");
        let never = committed.offset(1000);
        let future = ExtentId::new(SessionId(99), 0);
        let shards = [committed, deleted, never, future].map(first_shard);
        let classify = || classify_shards(&state.view(), disk_id(1, 0), &shards).unwrap();
        assert_eq!(classify(), [false; 4]);
        state.apply(EndSession { session: state.session() }).unwrap();
        assert_eq!(classify(), [false, false, true, false], "what waits for reclaim still has its row");
    }

    #[test]
    fn a_shard_that_its_commit_does_not_name_is_garbage() {
        let state = State::with_bucket();
        state.apply(registration(1, 3)).unwrap();
        let mut body = state.body(10);
        body.extents[0].locations[1] = None;
        let extent = body.run.first;
        state.apply(state.commit("a", Some(body))).unwrap();
        let classify = |disk, index| {
            let shard = ShardId { extent, index };
            classify_shards(&state.view(), disk_id(1, disk), &[shard]).unwrap()[0]
        };
        assert!(!classify(0, 0), "disk 1 holds shard 0");
        assert!(classify(1, 1), "shard 1 was given up on disk 2");
        assert!(classify(1, 0), "shard 0 lies on disk 1 and nowhere else");
        assert!(!classify(9, 1), "nothing is known of the disk");
    }
}
