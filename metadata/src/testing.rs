//! What the tests of this crate share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;

/// The real monotonic clock, and a wall clock that the test sets.
pub(crate) struct TestClock {
    frozen: bool,
    start: OnceLock<Instant>,
    wall_ms: AtomicU64,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { frozen: false, start: OnceLock::new(), wall_ms: AtomicU64::new(1_790_000_000_000) })
    }

    /// A clock whose monotonic time stands still: nothing that waits for time to pass ever happens.
    pub(crate) fn frozen() -> Arc<Self> {
        Arc::new(Self { frozen: true, start: OnceLock::new(), wall_ms: AtomicU64::new(1_790_000_000_000) })
    }

    pub(crate) fn set_wall_ms(&self, ms: u64) {
        self.wall_ms.store(ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.wall_ms.load(Ordering::Relaxed))
    }

    #[expect(clippy::disallowed_methods, reason = "a test is a process of its own")]
    fn monotonic(&self) -> Duration {
        if self.frozen { Duration::ZERO } else { self.start.get_or_init(Instant::now).elapsed() }
    }
}

/// Counts, over all sources of a process: what is drawn is drawn once.
#[derive(Default)]
pub(crate) struct TestRandom;

static DRAWN: AtomicU64 = AtomicU64::new(1);

impl RandomSource for TestRandom {
    fn bytes16(&self) -> [u8; 16] {
        let mut bytes = [0x77; 16];
        bytes[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}
