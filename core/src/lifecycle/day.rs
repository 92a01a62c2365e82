//! The day in which rules count.

use std::time::Duration;

const STANDARD_MS: u64 = 24 * 3600 * 1000;

/// The length of a day: 24 hours, except in tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    ms: u64,
}

impl Day {
    /// 24 hours.
    pub const STANDARD: Self = Self { ms: STANDARD_MS };

    /// A day of another length, at least a millisecond.
    pub fn of(length: Duration) -> Self {
        Self { ms: u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1) }
    }

    /// The length of `days` in milliseconds.
    pub fn span_ms(self, days: u32) -> u64 {
        self.ms.saturating_mul(u64::from(days))
    }

    /// The end of `days` after `since_ms`, rounded up to the next midnight UTC. Source: S3 user guide, "Lifecycle rules
    /// based on an object's age".
    pub fn end_of(self, since_ms: u64, days: u32) -> u64 {
        since_ms.saturating_add(self.span_ms(days)).div_ceil(self.ms).saturating_mul(self.ms)
    }
}

impl Default for Day {
    fn default() -> Self {
        Self::STANDARD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_ends_at_the_next_midnight() {
        let (midnight, hour) = (1_389_744_000_000, 3_600_000); // 2014-01-15T00:00Z
        let day = 24 * hour;
        // The example of S3's user guide: created on the 15th at 10:30, three days, gone on the 19th.
        assert_eq!(Day::STANDARD.end_of(midnight + 10 * hour + hour / 2, 3), midnight + 4 * day);
        assert_eq!(Day::STANDARD.end_of(midnight, 3), midnight + 3 * day);
        assert_eq!(Day::of(Duration::from_secs(2)).end_of(4001, 1), 8000);
        assert!(Day::STANDARD.end_of(u64::MAX, u32::MAX) >= u64::MAX - STANDARD_MS, "nothing overflows");
    }
}
