//! Measures the grace period of deletions in commits: content is due if the commit that released it existed a grace period ago.
//! No wall clock is involved (I20), and after a change of leader the period starts over.

use std::collections::VecDeque;
use std::time::Duration;

use cairn_core::id::CommitSequence;

/// Marks kept within one grace period.
const MARKS_PER_GRACE: u32 = 16;

/// The newest commit at some points of the past.
#[derive(Debug)]
pub(super) struct GraceMarks {
    grace: Duration,
    marks: VecDeque<(Duration, CommitSequence)>,
}

impl GraceMarks {
    pub(super) fn new(grace: Duration) -> Self {
        Self { grace, marks: VecDeque::new() }
    }

    /// Notes the newest commit now; returns the newest commit of a grace period ago.
    pub(super) fn mark(&mut self, now: Duration, commit: CommitSequence) -> Option<CommitSequence> {
        let spacing = self.grace / MARKS_PER_GRACE;
        if self.marks.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= spacing) {
            self.marks.push_back((now, commit));
        }
        let due = |(at, _): &(Duration, CommitSequence)| now.saturating_sub(*at) >= self.grace;
        while self.marks.get(1).is_some_and(due) {
            self.marks.pop_front();
        }
        self.marks.front().filter(|mark| due(mark)).map(|(_, commit)| *commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_due_once_a_grace_period_has_passed() {
        let mut marks = GraceMarks::new(Duration::from_mins(1));
        for second in 0..600u64 {
            let due = marks.mark(Duration::from_secs(second), CommitSequence(second)).map(|c| c.0);
            assert!(due.is_none_or(|due| due + 60 <= second), "never early: {second} {due:?}");
            assert!(second < 70 || due.is_some_and(|due| due + 70 > second), "never much late: {second} {due:?}");
            assert!(marks.marks.len() <= MARKS_PER_GRACE as usize + 2);
        }
    }

    #[test]
    fn without_a_grace_period_everything_is_due() {
        let mut marks = GraceMarks::new(Duration::ZERO);
        for n in [3, 9] {
            assert_eq!(marks.mark(Duration::from_secs(n), CommitSequence(n)), Some(CommitSequence(n)));
        }
    }
}
