//! What a decision may know of time.

use super::{Day, Lifecycle, ServiceTime};
use crate::id::CommitSequence;

/// A moment at which it is decided what has to go.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The leader's wall clock, in milliseconds since the Unix epoch. It can only keep things longer.
    pub wall_ms: u64,
    /// What the service has lived through.
    pub service: &'a ServiceTime,
    /// How long a day is.
    pub day: Day,
}

/// Whether a time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    No,
    /// The wall clock says so, but the service has not been there for long enough: by so many milliseconds.
    Unproven {
        short_ms: u64,
    },
    Yes,
}

impl Moment<'_> {
    /// Whether so many days have passed since `commit`, which was at `since_ms`.
    pub(super) fn after_days(&self, days: u32, since_ms: u64, commit: CommitSequence) -> Due {
        self.due(self.day.end_of(since_ms, days), self.day.span_ms(days), commit)
    }

    /// Whether the day of a rule has come. The time from the day on which the rule was set must have been lived through.
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
