//! See [`OpenSession`].

use crate::state::stored::{OpenSession, OpenSystemSession};
use cairn_core::id::{GroupId, NodeId, SessionId};
use cairn_core::release::Release;
use cairn_protocol::metadata::Outcome;

use super::context::Context;
use super::set_disk_states::check_release;
use crate::error::Refused;
use crate::state::tables::sessions::SessionRow;
use crate::state::tables::{Row, Tables, counters, sessions};

pub(super) fn apply(tables: &mut Tables<'_>, command: &OpenSession, context: Context) -> Result<Outcome, Refused> {
    open(tables, (command.gateway, &command.release), context, SessionId::new)
}

pub(super) fn apply_system(
    tables: &mut Tables<'_>,
    command: &OpenSystemSession,
    context: Context,
) -> Result<Outcome, Refused> {
    open(tables, (command.writer, &command.release), context, SessionId::system)
}

fn open(
    tables: &mut Tables<'_>,
    (gateway, release): (NodeId, &Release),
    context: Context,
    named: impl FnOnce(GroupId, u64) -> SessionId,
) -> Result<Outcome, Refused> {
    check_release(tables, release)?;
    for (earlier, row) in sessions::all(&tables.sessions)? {
        if row.gateway == gateway {
            tables.sessions.remove(earlier.0)?;
        }
    }
    let id = named(context.sequence.group(), counters::next(&mut tables.counters, counters::SESSION)?);
    let row = SessionRow { gateway, opened_ms: context.now_ms, release: release.clone() };
    tables.sessions.insert(id.0, row.to_bytes().as_slice())?;
    Ok(Outcome::SessionOpened(id))
}

#[cfg(test)]
mod tests {
    use cairn_protocol::metadata::Rejection;

    use crate::state::commands::testing::State;

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
}
