//! Time as a parameter.

use std::time::{Duration, SystemTime};

/// A source of time. Only `server` has the real one; all other code is given one, so that tests can skew it (I20).
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time, for timestamps and signatures. No decision about data depends on it.
    fn now(&self) -> SystemTime;

    /// Time since an arbitrary start, for timeouts, leases and rates. It never goes back.
    fn monotonic(&self) -> Duration;

    /// Wall-clock time in milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64 {
        self.now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
    }
}
