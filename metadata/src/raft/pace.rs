//! How many entries a member takes in one message: as many as it answers in time. Raft waits for an answer no longer than a
//! heartbeat may be late, and would send the same message again and again over a connection that is too slow for it.

/// The pace of one member.
#[derive(Debug)]
pub(super) struct Pace {
    entries_max: u64,
    /// Entries of the message that has no answer yet, or was given up.
    unanswered: Option<u64>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { entries_max: u64::MAX, unanswered: None }
    }

    /// Begins a message of so many entries; refused with the number that may be sent instead.
    pub(super) fn begin(&mut self, entries: u64) -> Result<(), u64> {
        if let Some(given_up) = self.unanswered.take() {
            self.entries_max = (given_up / 2).max(1);
        }
        if entries > self.entries_max {
            return Err(self.entries_max);
        }
        self.unanswered = Some(entries).filter(|entries| *entries > 0);
        Ok(())
    }

    /// The message was answered in time.
    pub(super) fn answered(&mut self) {
        if self.unanswered.take().is_some() {
            self.entries_max = self.entries_max.saturating_mul(2);
        }
    }

    /// The member is not there: that says nothing of its pace.
    pub(super) fn unreachable(&mut self) {
        self.unanswered = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_without_an_answer_is_followed_by_smaller_ones() {
        let mut pace = Pace::new();
        assert_eq!(pace.begin(300), Ok(()));
        for fewer in [150, 75, 37, 18, 9, 4, 2, 1, 1] {
            assert_eq!(pace.begin(300), Err(fewer));
            assert_eq!(pace.begin(fewer), Ok(()));
        }
        pace.answered();
        assert_eq!(pace.begin(300), Err(2));
        assert_eq!(pace.begin(0), Ok(()), "a heartbeat has no entries");
        assert_eq!(pace.begin(300), Err(2), "and says nothing of the pace");
        for more in [2, 4, 8, 16] {
            assert_eq!(pace.begin(more), Ok(()));
            pace.answered();
        }
        assert_eq!(pace.begin(32), Ok(()));
        pace.unreachable();
        assert_eq!(pace.begin(32), Ok(()));
    }
}
