//! The time at which a decision is made.

use super::{Day, Lifecycle, ServiceTime};
use crate::id::CommitSequence;

/// The time at which a decision is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The leader's wall clock, in milliseconds since the Unix epoch. It can only make an object live longer.
    pub wall_ms: u64,
    /// The time that the service was up.
    pub service: &'a ServiceTime,
    /// The length of a day.
    pub day: Day,
}

/// Whether a version has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    No,
    /// It has by the wall clock, but the service has not existed long enough.
    Unproven {
        short_ms: u64,
    },
    Yes,
}

impl Moment<'_> {
    /// Whether `days` have passed since `commit`, which was made at `since_ms`.
    pub(super) fn after_days(&self, days: u32, since_ms: u64, commit: CommitSequence) -> Due {
        self.due(self.day.end_of(since_ms, days), self.day.span_ms(days), commit)
    }

    /// Whether the date of a rule has come. The service must have been up for the time since the rule was set.
    pub(super) fn on_date(&self, date_ms: u64, lifecycle: &Lifecycle) -> Due {
        self.due(date_ms, date_ms.saturating_sub(lifecycle.set_ms), lifecycle.revision)
    }

    fn due(&self, at_ms: u64, age_ms: u64, commit: CommitSequence) -> Due {
        if self.wall_ms < at_ms {
            return Due::No;
        }
        match age_ms.saturating_sub(self.service.age_ms(commit)) {
            0 => Due::Yes,
            short_ms => Due::Unproven { short_ms },
        }
    }
}
