//! See [`AbandonExtents`].

use crate::state::stored::AbandonExtents;
use cairn_protocol::metadata::query::RestoreHold;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::context::Context;
use crate::error::{Refused, StoreError};
use crate::state::tables::{Tables, abandoned, extents, meta, sessions};

pub(super) fn apply(tables: &mut Tables<'_>, command: &AbandonExtents, context: Context) -> Result<Outcome, Refused> {
    let hold: Option<RestoreHold> = meta::get(&tables.meta, meta::RESTORED)?;
    if let Some(extent) = command.extents.iter().find(|e| hold.as_ref().is_some_and(|h| h.keeps(e.session, None))) {
        let why = format!("the service was restored and does not know all that was committed before: {extent} is kept");
        return Err(Rejection::Stale(why).into());
    }
    drop_outdated(tables, 2 * command.extents.len())?;
    let mut kept = Vec::new();
    for extent in &command.extents {
        if extents::get(&tables.extents, *extent)?.is_some() {
            kept.push(*extent);
        } else if sessions::is_open(&tables.sessions, extent.session)? {
            abandoned::put(&mut tables.abandoned, *extent)?;
        } else if !sessions::has_ended(&tables.sessions, &tables.counters, context.sequence.group(), extent.session)? {
            // A session that was never given out may still be.
            kept.push(*extent);
        }
    }
    Ok(Outcome::ExtentsAbandoned(kept))
}

/// Drops extents of ended sessions, at most `limit`: twice as many as are added, so that the table follows the sessions
/// and no command has much to do.
fn drop_outdated(tables: &mut Tables<'_>, limit: usize) -> Result<(), StoreError> {
    for extent in abandoned::oldest(&tables.abandoned, limit)? {
        if !sessions::is_open(&tables.sessions, extent.session)? {
            tables.abandoned.remove(extent.to_bytes())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{CommitSequence, ExtentId, SessionId};
    use cairn_core::shard::ShardId;
    use cairn_protocol::metadata::command::{AbandonExtents, EndSession};
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::{State, disk_id, registration};
    use crate::state::queries::classify_shards::classify_shards;
    use crate::state::tables::abandoned;

    fn abandon(state: &State, extents: &[ExtentId]) -> Vec<ExtentId> {
        match state.apply(AbandonExtents { extents: extents.to_vec() }).unwrap() {
            Outcome::ExtentsAbandoned(kept) => kept,
            other => panic!("{other:?}"),
        }
    }

    fn is_garbage(state: &State, extent: ExtentId) -> bool {
        classify_shards(&state.view(), disk_id(1, 0), &[ShardId { extent, index: 0 }]).unwrap()[0]
    }

    /// I13: a gateway that wrongly believes its commit was refused gives up nothing that was committed, and what it gave
    /// up is never committed later.
    #[test]
    fn an_extent_is_committed_or_abandoned_and_never_both() {
        let state = State::with_bucket();
        state.apply(registration(1, 3)).unwrap();
        let committed = state.put("a", 500).run;
        let late = state.commit("b", Some(state.body(500)));
        let run = late.body.as_ref().unwrap().run;
        let last = run.first.offset(run.count() - 1);
        assert!(!is_garbage(&state, last), "it may be committed yet");
        assert_eq!(abandon(&state, &[committed.first, last, last]), [committed.first]);
        assert!(is_garbage(&state, last) && !is_garbage(&state, committed.first));
        assert!(matches!(state.refused(late), Rejection::Stale(_)));
        let upload = state.create_upload("m");
        let part = state.body(500);
        abandon(&state, &[part.run.first]);
        assert!(matches!(state.refused(state.part("m", upload, 1, Some(part))), Rejection::Stale(_)));
        state.put("c", 500);
    }

    #[test]
    fn ended_sessions_need_no_rows_and_unknown_ones_prove_nothing() {
        let state = State::with_bucket();
        let rows = || abandoned::oldest(&state.view().abandoned().unwrap(), 100).unwrap().len();
        let old: Vec<ExtentId> = (0..10).map(|_| state.body(10).run.first).collect();
        abandon(&state, &old);
        assert_eq!(rows(), 10);
        state.apply(EndSession { session: state.session() }).unwrap();
        assert_eq!(abandon(&state, &old[..1]), [], "its session proves it");
        let open = ExtentId::new(state.open_session(2), 0);
        let unknown = ExtentId::new(SessionId(99), 0);
        for _ in 0..5 {
            assert_eq!(abandon(&state, &[open, unknown]), [unknown]);
        }
        assert_eq!(rows(), 1);
        state.hold(CommitSequence(1 << 30));
        assert!(matches!(state.refused(AbandonExtents { extents: vec![open] }), Rejection::Stale(_)));
    }
}
