//! Time as a parameter.

use std::time::{Duration, SystemTime};

/// A source of time. Only `server` has the real one; everything else is handed one, so that tests can skew it (I20).
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time: for timestamps that people and signatures see. Decides nothing about data.
    fn now(&self) -> SystemTime;

    /// Time since an arbitrary start, never going back: for timeouts, leases and rates.
    fn monotonic(&self) -> Duration;

    /// Wall-clock time in milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64 {
        self.now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
    }
}
