//! How long a read waits before it asks one more shard than it needs (I24).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An adaptive delay: a few times the average fetch, so that hedges stay rare while all disks are fast. Source:
/// Dean and Barroso, "The tail at scale" (2013).
#[derive(Debug)]
pub struct HedgeDelay {
    /// Exponentially weighted mean duration of a fetch, in microseconds.
    mean_us: AtomicU64,
}

const MULTIPLE: u32 = 4;
const DELAY_MIN: Duration = Duration::from_millis(20);
const DELAY_MAX: Duration = Duration::from_millis(500);

impl HedgeDelay {
    /// Assumes 5 ms per fetch at first.
    pub fn new() -> Self {
        Self { mean_us: AtomicU64::new(5_000) }
    }

    /// Records how long a fetch took. A mean can afford to lose updates under contention.
    pub fn observe(&self, took: Duration) {
        let mean = self.mean_us.load(Ordering::Relaxed);
        let sample = (took.as_micros() as u64).min(1_000_000);
        self.mean_us.store(mean - mean / 16 + sample / 16, Ordering::Relaxed);
    }

    pub fn get(&self) -> Duration {
        (Duration::from_micros(self.mean_us.load(Ordering::Relaxed)) * MULTIPLE).clamp(DELAY_MIN, DELAY_MAX)
    }
}

impl Default for HedgeDelay {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_follows_the_fetches_within_bounds() {
        let hedge = HedgeDelay::new();
        assert_eq!(hedge.get(), Duration::from_millis(20));
        (0..200).for_each(|_| hedge.observe(Duration::from_millis(50)));
        assert!(hedge.get() > Duration::from_millis(150));
        (0..200).for_each(|_| hedge.observe(Duration::from_secs(9)));
        assert_eq!(hedge.get(), DELAY_MAX);
        (0..400).for_each(|_| hedge.observe(Duration::ZERO));
        assert_eq!(hedge.get(), DELAY_MIN);
    }
}
