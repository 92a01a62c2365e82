//! See [`OpenSession`].

use crate::state::stored::{OpenSession, OpenSystemSession};
use cairn_core::id::{GroupId, SessionId};
use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::Outcome;

use super::context::Context;
use super::level::{check_release, uses};
use crate::error::Refused;
use crate::state::tables::sessions::SessionRow;
use crate::state::tables::{Row, Tables, counters, sessions};

pub(super) fn apply(tables: &mut Tables<'_>, command: &OpenSession, context: Context) -> Result<Outcome, Refused> {
    let uses_names = uses(tables, FeatureLevel::SESSION_NAMES)?;
    let OpenSession { gateway, release, name } = command.clone();
    let row = SessionRow { gateway, opened_ms: context.now_ms, release, name: name.filter(|_| uses_names) };
    open(tables, &row, context, SessionId::new)
}

pub(super) fn apply_system(
    tables: &mut Tables<'_>,
    command: &OpenSystemSession,
    context: Context,
) -> Result<Outcome, Refused> {
    let OpenSystemSession { writer, release } = command.clone();
    let row = SessionRow { gateway: writer, opened_ms: context.now_ms, release, name: None };
    open(tables, &row, context, SessionId::system)
}

fn open(
    tables: &mut Tables<'_>,
    row: &SessionRow,
    context: Context,
    named: impl FnOnce(GroupId, u64) -> SessionId,
) -> Result<Outcome, Refused> {
    check_release(tables, &row.release)?;
    for (earlier, known) in sessions::all(&tables.sessions)? {
        if known.gateway == row.gateway {
            tables.sessions.remove(earlier.0)?;
        }
    }
    let id = named(context.sequence.group(), counters::next(&mut tables.counters, counters::SESSION)?);
    tables.sessions.insert(id.0, row.to_bytes().as_slice())?;
    Ok(Outcome::SessionOpened(id))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::NodeId;
    use cairn_core::release::{FeatureLevel, Release};
    use cairn_protocol::metadata::Rejection;
    use cairn_protocol::metadata::command::{OpenSession, RaiseLevel};

    use crate::state::commands::testing::State;
    use crate::state::tables::Row;
    use crate::state::tables::sessions::SessionRow;

    #[test]
    fn a_gateway_has_one_session_at_a_time() {
        let state = State::with_bucket();
        let (other, first) = (state.open_session(8), state.open_session(9));
        let second = state.open_session(9);
        assert!(first < second);
        for (session, ended) in [(other, false), (first, true), (second, false)] {
            assert_eq!(state.has_ended(session), ended, "{session}");
        }
        let commit = state.commit("a", None);
        let late = cairn_protocol::metadata::command::CommitObject { session: first, ..commit };
        assert_eq!(state.refused(late), Rejection::SessionEnded(first));
    }

    /// A member of the release before does not know the field: all rows are the same until the level is raised (I30).
    #[test]
    fn a_session_has_a_name_once_the_cluster_uses_names() {
        let state = State::new();
        let named = |state: &State| {
            let (gateway, name) = (NodeId::from_random([7; 16]), Some("gate1".to_owned()));
            let session = state.open(OpenSession { gateway, release: Release::current(), name });
            let row = state.view().sessions().unwrap().get(session.0).unwrap().unwrap().value().to_vec();
            SessionRow::read(&row).unwrap().name
        };
        state.set_level(FeatureLevel::FIRST);
        assert_eq!(named(&state), None);
        state.apply(RaiseLevel { to: FeatureLevel::SESSION_NAMES }).unwrap();
        assert_eq!(named(&state).as_deref(), Some("gate1"));
    }
}
