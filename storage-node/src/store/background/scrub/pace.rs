//! How fast a scrub reads: fast enough to end in time, slow enough for the disk's clients.

use std::time::Duration;

use crate::store::scrub_state::options::{BYTES_PER_S_MIN, ScrubOptions};

/// Longest rest after one read.
const REST_MAX: Duration = Duration::from_secs(2);
/// A read that takes this many times as long as usual competed with others for the disk.
const SLOW_FACTOR: u32 = 4;
/// Weight of the newest read in what is usual: one part in two to this power.
const USUAL_SHIFT: u32 = 4;

/// The rate, in bytes per second, at which `remaining_bytes` are verified in time when the cycle has run for `elapsed`.
pub(crate) fn rate(options: &ScrubOptions, remaining_bytes: u64, elapsed: Duration, accelerated: bool) -> u64 {
    let most = options.bytes_per_s_max.max(1);
    let left_ms = (options.period / 2).saturating_sub(elapsed).as_millis() as u64;
    if accelerated || left_ms == 0 {
        return most;
    }
    (remaining_bytes.saturating_mul(1000) / left_ms).max(BYTES_PER_S_MIN).min(most)
}

/// Learns how long a read usually takes, and decides how long to rest after one.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    usual: Option<Duration>,
}

impl Pace {
    /// The rest after a read of `bytes` that took `took`, at `rate` bytes per second. At least as long as the read, so that
    /// clients have half of the disk's time, and longer if the read competed with others.
    pub(crate) fn rest(&mut self, bytes: u64, took: Duration, rate: u64) -> Duration {
        let usual = self.usual.unwrap_or(took);
        let met_others = took > usual * SLOW_FACTOR;
        let learned = (usual * ((1 << USUAL_SHIFT) - 1) + took.min(usual * SLOW_FACTOR)) / (1 << USUAL_SHIFT);
        self.usual = Some(learned);
        let share = Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64).saturating_sub(took);
        let courtesy = if met_others { took * 2 } else { took };
        // The rate's share is not bounded, so the bound on courtesy never makes the scrub faster than its rate.
        share.max(courtesy.min(REST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_what_the_half_period_needs_within_its_bounds() {
        let options =
            ScrubOptions { period: Duration::from_secs(2000), bytes_per_s_max: 100 << 20, ..Default::default() };
        let check = |bytes, elapsed, expected| {
            assert_eq!(rate(&options, bytes, Duration::from_secs(elapsed), false), expected, "{bytes} {elapsed}");
        };
        check(10 << 30, 0, (10 << 30) / 1000);
        check(10 << 30, 500, (10 << 30) / 500);
        check(1 << 20, 0, 1 << 20);
        check(1 << 40, 0, 100 << 20);
        check(1, 1000, 100 << 20);
        assert_eq!(rate(&options, 1, Duration::ZERO, true), 100 << 20);
    }

    #[test]
    fn clients_have_half_of_the_time_and_more_when_they_compete() {
        let ms = Duration::from_millis;
        let mut pace = Pace::default();
        assert_eq!(pace.rest(1 << 20, ms(10), 1 << 20), ms(990));
        assert_eq!(pace.rest(1 << 20, ms(10), u64::MAX), ms(10));
        assert_eq!(pace.rest(1 << 20, ms(100), u64::MAX), ms(200));
        assert_eq!(pace.rest(1 << 20, Duration::from_secs(9), u64::MAX), REST_MAX);
        for _ in 0..200 {
            pace.rest(1 << 20, ms(100), u64::MAX);
        }
        assert_eq!(pace.rest(1 << 20, ms(100), u64::MAX), ms(100), "a disk that is always so slow is its own measure");
    }
}
