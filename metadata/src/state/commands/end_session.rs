//! See [`EndSession`].

use crate::state::stored::EndSession;
use cairn_protocol::metadata::Outcome;

use crate::error::Refused;
use crate::state::tables::Tables;

pub(super) fn apply(tables: &mut Tables<'_>, command: &EndSession) -> Result<Outcome, Refused> {
    tables.sessions.remove(command.session.0)?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::SessionId;
    use cairn_protocol::metadata::command::EndSession;

    use crate::state::commands::testing::State;

    #[test]
    fn only_an_issued_session_can_have_ended() {
        let state = State::with_bucket();
        let session = state.open_session(3);
        let next = SessionId(session.0 + 1);
        for ended in [session, session, next] {
            state.apply(EndSession { session: ended }).unwrap();
        }
        assert!(state.has_ended(session));
        assert!(!state.has_ended(next), "I13: what was never given out may still be");
        assert!(!state.has_ended(SessionId(0)));
    }
}
