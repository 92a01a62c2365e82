//! The way that calls take to the leader.

use std::time::Duration;

/// How long calls are passed on by another member before the leader is called directly again.
const RELAYED_FOR: Duration = Duration::from_mins(1);

/// A member to call, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) member: String,
    /// Set if the member passes calls on to the leader, which does not answer here: since when.
    relayed_since: Option<Duration>,
}

impl Route {
    /// To `member` itself.
    pub(super) fn direct(member: String) -> Self {
        Self { member, relayed_since: None }
    }

    /// Through `member`, to whichever member leads.
    pub(super) fn through(member: String, now: Duration) -> Self {
        Self { member, relayed_since: Some(now) }
    }

    /// Whether the member passes calls on.
    pub(super) fn is_relayed(&self) -> bool {
        self.relayed_since.is_some()
    }

    /// Whether it is time to try the direct way again. If so, later calls go on as before until the next time.
    pub(super) fn expires(&mut self, now: Duration) -> bool {
        let due = self.relayed_since.is_some_and(|since| now.saturating_sub(since) >= RELAYED_FOR);
        if due {
            self.relayed_since = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_in_a_minute_tries_the_direct_way() {
        let at = Duration::from_secs;
        let mut route = Route::through("a:1".to_owned(), at(5));
        let tries: Vec<u64> = (5..200).filter(|second| route.expires(at(*second))).collect();
        assert_eq!(tries, [65, 125, 185]);
        assert!(!Route::direct("a:1".to_owned()).expires(at(1000)));
    }
}
