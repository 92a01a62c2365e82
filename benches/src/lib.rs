//! Micro-benchmarks of the parts that bound throughput, each figure beside the limit measured in the same run.

use std::fmt;
use std::time::{Duration, Instant};

/// How fast something went.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Bytes a second.
    pub bytes_per_s: f64,
}

impl Rate {
    /// Runs `work`, which handles `bytes` each time, for about `time`, and returns its rate.
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub fn measure(bytes: u64, time: Duration, mut work: impl FnMut()) -> Self {
        // The first run fills caches and allocators.
        work();
        let started = Instant::now();
        let mut runs = 0u64;
        while started.elapsed() < time {
            work();
            runs += 1;
        }
        Self { bytes_per_s: (runs * bytes) as f64 / started.elapsed().as_secs_f64() }
    }

    /// The rate of doing two things to the same bytes one after the other.
    pub fn then(self, other: Self) -> Self {
        Self { bytes_per_s: 1.0 / (1.0 / self.bytes_per_s + 1.0 / other.bytes_per_s) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} GB/s", self.bytes_per_s / 1e9)
    }
}

/// Prints a figure beside its limit. The last column is the share of the limit that was reached.
#[allow(clippy::print_stdout, reason = "the figures are what a benchmark is for")]
pub fn print_beside_limit(name: &str, figure: Rate, limit_name: &str, limit: Rate) {
    let share = 100.0 * figure.bytes_per_s / limit.bytes_per_s;
    println!("{name}: {figure}; {limit_name}, in the same run: {limit}; {share:.0} %");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_take_the_sum_of_their_times() {
        let (fast, slow) = (Rate { bytes_per_s: 3e9 }, Rate { bytes_per_s: 1.5e9 });
        assert!((fast.then(slow).bytes_per_s - 1e9).abs() < 1.0);
    }
}
