//! Silent gateways lose their sessions.

use std::time::Duration;

use cairn_core::id::SessionId;

use crate::leader::Memory;

/// The open sessions whose lease has run out. One that this leader has not heard of has a lease from the beginning of
/// the lead on.
pub(super) fn expired(open: &[SessionId], memory: &Memory, now: Duration, lease: Duration) -> Vec<SessionId> {
    let renewed = |session: &SessionId| memory.renewed.get(session).copied().unwrap_or(memory.since);
    open.iter().filter(|session| now.saturating_sub(renewed(session)) > lease).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_runs_from_the_last_renewal_or_from_the_beginning_of_the_lead() {
        let seconds = Duration::from_secs;
        let mut memory = Memory { since: seconds(100), ..Memory::default() };
        memory.renewed.insert(SessionId(1), seconds(120));
        let open = [SessionId(1), SessionId(2)];
        let expired = |now| expired(&open, &memory, seconds(now), seconds(30));
        assert_eq!(expired(130), []);
        assert_eq!(expired(131), [SessionId(2)]);
        assert_eq!(expired(151), open);
    }
}
