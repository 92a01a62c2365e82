//! How long a disk's operations take. Compared with its neighbours, that tells a slow disk from a busy one.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::sync::IgnorePoison;

/// What is timed separately: syncs take long where reads do not, and a scrub reads more at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A read of a volume.
    Read,
    /// A read past the page cache.
    MediumRead,
    /// A write to a volume, a sync, an allocation.
    Write,
}

/// The latencies of one disk. Cheap enough for every operation: one lock, shared by the disk's own threads.
pub struct Latency {
    clock: Arc<dyn Clock>,
    reads: Mutex<Window>,
    medium_reads: Mutex<Window>,
    writes: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    ended: u32,
    total: Duration,
    /// When the operations under way began. A disk has a handful of threads, so there are never more.
    under_way: Vec<Duration>,
}

impl std::fmt::Debug for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Latency(…)")
    }
}

impl Latency {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, reads: Mutex::default(), medium_reads: Mutex::default(), writes: Mutex::default() }
    }

    fn window(&self, operation: Operation) -> MutexGuard<'_, Window> {
        let window = match operation {
            Operation::Read => &self.reads,
            Operation::MediumRead => &self.medium_reads,
            Operation::Write => &self.writes,
        };
        window.lock().ignore_poison()
    }

    /// An operation begins; it ends when the value is dropped.
    pub fn time(&self, operation: Operation) -> Timed<'_> {
        let began = self.clock.monotonic();
        self.window(operation).under_way.push(began);
        Timed { latency: self, operation, began }
    }

    /// The mean latency of the operations that ended since the last call, or the age of the oldest one under way, whichever
    /// is more; `None` if there were none.
    pub fn take(&self, operation: Operation) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut window = self.window(operation);
        let mean = window.total.checked_div(window.ended);
        (window.ended, window.total) = (0, Duration::ZERO);
        let oldest = window.under_way.iter().min().map(|began| now.saturating_sub(*began));
        mean.max(oldest)
    }

    /// The age of the oldest operation under way, of whichever kind; `None` if there is none.
    pub fn oldest(&self) -> Option<Duration> {
        let kinds = [Operation::Read, Operation::MediumRead, Operation::Write];
        let began = kinds.into_iter().filter_map(|operation| self.window(operation).under_way.iter().min().copied());
        began.min().map(|began| self.clock.monotonic().saturating_sub(began))
    }
}

/// An operation under way.
#[derive(Debug)]
pub struct Timed<'a> {
    latency: &'a Latency,
    operation: Operation,
    began: Duration,
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        let now = self.latency.clock.monotonic();
        let mut window = self.latency.window(self.operation);
        window.ended += 1;
        window.total += now.saturating_sub(self.began);
        if let Some(at) = window.under_way.iter().position(|began| *began == self.began) {
            window.under_way.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::testing::TestClock;

    use super::*;

    #[test]
    fn ended_operations_count_by_their_mean_and_hanging_ones_by_their_age() {
        let clock = Arc::new(TestClock::still());
        let latency = Latency::new(clock.clone());
        let pass = |ms| clock.advance(Duration::from_millis(ms));
        assert_eq!(latency.take(Operation::Write), None);
        for ms in [10, 30] {
            let timed = latency.time(Operation::Write);
            pass(ms);
            drop(timed);
        }
        assert_eq!(latency.take(Operation::Read), None);
        assert_eq!(latency.take(Operation::Write), Some(Duration::from_millis(20)));
        assert_eq!(latency.take(Operation::Write), None);
        let hangs = latency.time(Operation::Write);
        for seconds in 1..4 {
            pass(1000);
            drop(latency.time(Operation::Write));
            assert_eq!(latency.take(Operation::Write), Some(Duration::from_secs(seconds)));
        }
        drop(hangs);
        assert_eq!(latency.take(Operation::Write), Some(Duration::from_secs(3)));
    }
}
