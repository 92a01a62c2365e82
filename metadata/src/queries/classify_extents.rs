//! See [`cairn_protocol::metadata::query::ClassifyExtents`].

use std::collections::HashMap;

use cairn_core::id::ExtentId;

use crate::error::StoreError;
use crate::tables::{View, extents, sessions};

/// For each extent, whether it is provably garbage: no row refers to it, and its session can commit nothing more (I13).
pub(super) fn classify_extents(view: &View, ids: &[ExtentId]) -> Result<Vec<bool>, StoreError> {
    let (table, open, counters) = (view.extents()?, view.sessions()?, view.counters()?);
    let mut ended = HashMap::new();
    let mut garbage = Vec::with_capacity(ids.len());
    for id in ids {
        let session_ended = match ended.get(&id.session) {
            Some(known) => *known,
            None => *ended.entry(id.session).or_insert(sessions::has_ended(&open, &counters, id.session)?),
        };
        garbage.push(session_ended && extents::get(&table, *id)?.is_none());
    }
    Ok(garbage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::State;
    use cairn_core::id::SessionId;
    use cairn_protocol::metadata::command::EndSession;

    #[test]
    fn only_unreferenced_extents_of_ended_sessions_are_garbage() {
        let state = State::with_bucket();
        let committed = state.put("a", 10).run.first;
        let deleted = state.put("b", 10).run.first;
        state.delete("b");
        let never = committed.offset(1000);
        let future = ExtentId::new(SessionId(99), 0);
        let classify = || classify_extents(&state.view(), &[committed, deleted, never, future]).unwrap();
        assert_eq!(classify(), [false; 4]);
        state.apply(EndSession { session: state.session() }).unwrap();
        assert_eq!(classify(), [false, false, true, false], "what waits for reclaim still has its row");
    }
}
