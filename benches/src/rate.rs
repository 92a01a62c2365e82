//! Rates, and how they are printed.

use std::fmt;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Operations,
}

#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// In `unit`.
    pub per_s: f64,
    pub unit: Unit,
}

impl Rate {
    /// Runs `work`, which handles `count` of `unit` per call, for about `time`, and returns its rate.
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub fn measure(count: u64, unit: Unit, time: Duration, mut work: impl FnMut()) -> Self {
        let started = Instant::now();
        let mut runs = 0u64;
        while started.elapsed() < time {
            work();
            runs += 1;
        }
        Self { per_s: (runs * count) as f64 / started.elapsed().as_secs_f64(), unit }
    }

    /// The rate of doing both to the same bytes, one after the other.
    pub fn then(self, other: Self) -> Self {
        Self { per_s: 1.0 / (1.0 / self.per_s + 1.0 / other.per_s), unit: self.unit }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Bytes if self.per_s < 1e9 => write!(f, "{:.0} MB/s", self.per_s / 1e6),
            Unit::Bytes => write!(f, "{:.2} GB/s", self.per_s / 1e9),
            Unit::Operations => write!(f, "{:.0}/s", self.per_s),
        }
    }
}

/// Prints a figure beside its limit, and the ratio.
#[allow(clippy::print_stdout, reason = "the figures are what a benchmark is for")]
pub fn print_beside_limit(name: &str, figure: Rate, limit_name: &str, limit: Rate) {
    let ratio = figure.per_s / limit.per_s;
    println!("{name}: {figure}; {limit_name}, in the same run: {limit}; ratio {ratio:.2}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_take_the_sum_of_their_times() {
        let rate = |per_s| Rate { per_s, unit: Unit::Bytes };
        assert!((rate(3e9).then(rate(1.5e9)).per_s - 1e9).abs() < 1.0);
    }

    #[test]
    fn rates_name_their_unit() {
        let printed = |per_s, unit| Rate { per_s, unit }.to_string();
        assert_eq!(printed(2.345e9, Unit::Bytes), "2.35 GB/s");
        assert_eq!(printed(2.345e8, Unit::Bytes), "234 MB/s");
        assert_eq!(printed(1234.5, Unit::Operations), "1234/s");
    }
}
