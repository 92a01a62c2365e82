//! How much of the log is kept behind the synced state, for members that were away for a while: by time and by bytes. Time is
//! the monotonic clock's (I20), and begins anew with the process.

use std::collections::VecDeque;
use std::time::Duration;

use crate::options::LogRetention;

/// Marks kept within the time of retention.
const MARKS: u32 = 16;
/// The log takes at most one part in so many of what its disk has room for, itself included.
const DISK_FRACTION: u64 = 4;

/// What of the log is old.
#[derive(Debug)]
pub(crate) struct Retention {
    options: LogRetention,
    /// Entries that are always kept, but for their bytes.
    entries_min: u64,
    /// The last entry at some points of the past.
    marks: VecDeque<(Duration, u64)>,
}

/// Limits in bytes, for the disk as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteLimits {
    /// Of the whole log, unless it is pinned.
    pub(crate) kept: u64,
    /// Of what a pin holds.
    pub(crate) pinned: u64,
}

impl Retention {
    pub(crate) fn new(options: LogRetention, entries_min: u64) -> Self {
        Self { options, entries_min, marks: VecDeque::new() }
    }

    /// Entries that a member may lack and still finds in the log.
    pub(crate) fn entries_min(&self) -> u64 {
        self.entries_min
    }

    /// The limits where the log's file and the free space beside it have `room` together; `None` if that is not known.
    pub(crate) fn limits(&self, room: Option<u64>) -> ByteLimits {
        let share = room.map_or(u64::MAX, |bytes| bytes / DISK_FRACTION);
        ByteLimits { kept: self.options.bytes.min(share), pinned: self.options.pinned_bytes.min(share) }
    }

    /// The last entry that is too old to be kept, where the log ends at `last` now. A member that has no other to keep it
    /// for (`is_alone`) keeps only the newest.
    pub(crate) fn old(&mut self, now: Duration, last: u64, is_alone: bool) -> u64 {
        let (time, newest) = (self.options.time, last.saturating_sub(self.entries_min));
        if self.marks.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= time / MARKS) {
            self.marks.push_back((now, last));
        }
        let is_due = |(at, _): &(Duration, u64)| now.saturating_sub(*at) >= time;
        while self.marks.get(1).is_some_and(is_due) {
            self.marks.pop_front();
        }
        if is_alone {
            return newest;
        }
        self.marks.front().filter(|mark| is_due(mark)).map_or(0, |(_, index)| *index).min(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(time: Duration) -> Retention {
        Retention::new(LogRetention { bytes: 100 << 20, time, pinned_bytes: 1 << 30 }, 1000)
    }

    #[test]
    fn an_entry_is_kept_for_its_time() {
        let mut kept = retention(Duration::from_mins(10));
        for second in 0..5000u64 {
            let old = kept.old(Duration::from_secs(second), second * 400, false);
            assert!(old <= second.saturating_sub(600) * 400, "never early: {old} at {second}");
            assert!(second < 650 || old >= (second - 650) * 400, "never much late: {old} at {second}");
            assert!(kept.marks.len() <= MARKS as usize + 2);
        }
        kept.old(Duration::from_mins(150), 2_000_000, false);
        assert_eq!(kept.old(Duration::from_mins(160), 2_000_000, false), 1_999_000, "an idle log keeps the newest");
    }

    #[test]
    fn a_member_alone_keeps_only_the_newest() {
        let mut kept = retention(Duration::from_mins(10));
        assert_eq!(kept.old(Duration::ZERO, 5000, true), 4000);
        assert_eq!(kept.old(Duration::ZERO, 5000, false), 0);
        assert_eq!(retention(Duration::ZERO).old(Duration::ZERO, 5000, false), 4000);
    }

    #[test]
    fn a_small_disk_holds_a_small_log() {
        let kept = retention(Duration::ZERO);
        assert_eq!(kept.limits(None), ByteLimits { kept: 100 << 20, pinned: 1 << 30 });
        assert_eq!(kept.limits(Some(1 << 40)), kept.limits(None));
        assert_eq!(kept.limits(Some(64 << 20)), ByteLimits { kept: 16 << 20, pinned: 16 << 20 });
    }
}
