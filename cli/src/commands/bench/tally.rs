//! Counters of workers.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest recorded latency, in microseconds: one hour. Longer ones count as this.
const LATENCY_US_MAX: u64 = 3_600_000_000;
/// Relative precision of latencies: three digits.
const DIGITS: u8 = 3;

/// Operations, bytes, errors and latencies.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    bytes: u64,
    errors: u64,
    latency_us: Histogram<u64>,
}

impl Tally {
    #[allow(clippy::expect_used, reason = "the bounds are constants that the histogram takes")]
    pub(super) fn new() -> Self {
        let latency_us = Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).expect("constant bounds");
        Self { bytes: 0, errors: 0, latency_us }
    }

    /// Counts an operation that moved `bytes` of objects.
    pub(super) fn succeeded(&mut self, latency: Duration, bytes: u64) {
        self.bytes += bytes;
        let latency_us = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.latency_us.saturating_record(latency_us.max(1));
    }

    /// Counts a failed operation without its latency: fast errors must not look like speed.
    pub(super) fn failed(&mut self) {
        self.errors += 1;
    }

    /// Adds another worker's counts.
    pub(super) fn merge(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.errors += other.errors;
        // Both histograms have the same bounds, so no value is out of range.
        let _ = self.latency_us.add(&other.latency_us);
    }

    pub(super) fn ops(&self) -> u64 {
        self.latency_us.len()
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors
    }

    /// Bytes of objects moved.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The latency in microseconds that the fraction `quantile` of operations did not exceed.
    pub(super) fn latency_us(&self, quantile: f64) -> u64 {
        self.latency_us.value_at_quantile(quantile)
    }

    pub(super) fn latency_us_max(&self) -> u64 {
        self.latency_us.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_precise_to_three_digits_and_merge() {
        let (mut all, mut half) = (Tally::new(), Tally::new());
        for us in 1..=10_000 {
            let tally = if us % 2 == 0 { &mut all } else { &mut half };
            tally.succeeded(Duration::from_micros(us), 10);
        }
        half.failed();
        all.merge(&half);
        assert_eq!((all.ops(), all.bytes(), all.errors()), (10_000, 100_000, 1));
        for (quantile, expected) in [(0.5, 5_000.0), (0.99, 9_900.0), (0.999, 9_990.0)] {
            let got = all.latency_us(quantile) as f64;
            assert!((got / expected - 1.0).abs() < 0.002, "{quantile}: {got}");
        }
        assert!(all.latency_us_max() >= 10_000);
    }
}
