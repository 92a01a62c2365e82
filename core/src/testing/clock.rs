//! A clock that a test moves.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::Clock;
use crate::sync::IgnorePoison;

/// The wall clock's first value: 2026-09-21, in milliseconds since the Unix epoch.
const WALL_START_MS: u64 = 1_790_000_000_000;

/// A [`Clock`] whose time a test sets. Monotonic time starts at zero. The wall clock is independent of it once
/// [`TestClock::set_wall_ms`] was called.
#[derive(Debug)]
pub struct TestClock {
    pace: Pace,
    state: Mutex<State>,
}

/// What else moves the clock, besides the test.
#[derive(Debug)]
enum Pace {
    Still,
    /// Each reading moves it by this much.
    Ticking(Duration),
    /// Real time passes, from this start.
    Real(Instant, SystemTime),
}

#[derive(Debug, Default)]
struct State {
    /// Added by the test and the ticks.
    added: Duration,
    wall_ms: Option<u64>,
}

impl TestClock {
    /// Stands still until [`TestClock::advance`].
    pub fn still() -> Self {
        Self::new(Pace::Still)
    }

    /// Moves by `step` each time it is read.
    pub fn ticking(step: Duration) -> Self {
        Self::new(Pace::Ticking(step))
    }

    /// Real time, for tests with sockets and threads.
    #[expect(clippy::disallowed_methods, reason = "the one clock of tests that follows real time")]
    pub fn real() -> Self {
        Self::new(Pace::Real(Instant::now(), SystemTime::now()))
    }

    fn new(pace: Pace) -> Self {
        Self { pace, state: Mutex::default() }
    }

    /// Moves both clocks forward; a wall clock that was set stays.
    pub fn advance(&self, by: Duration) {
        self.state.lock().ignore_poison().added += by;
    }

    /// Sets the wall clock, in milliseconds since the Unix epoch. It stands still from then on.
    pub fn set_wall_ms(&self, ms: u64) {
        self.state.lock().ignore_poison().wall_ms = Some(ms);
    }

    fn passed(&self, state: &mut State) -> Duration {
        match self.pace {
            Pace::Still => state.added,
            Pace::Ticking(step) => {
                let now = state.added;
                state.added += step;
                now
            }
            Pace::Real(start, _) => start.elapsed() + state.added,
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        let mut state = self.state.lock().ignore_poison();
        let passed = self.passed(&mut state);
        if let Some(ms) = state.wall_ms {
            return SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        }
        let start = match self.pace {
            Pace::Real(_, wall) => wall,
            _ => SystemTime::UNIX_EPOCH + Duration::from_millis(WALL_START_MS),
        };
        start + passed
    }

    fn monotonic(&self) -> Duration {
        self.passed(&mut self.state.lock().ignore_poison())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_still_clock_moves_only_when_advanced_and_a_set_wall_clock_stays() {
        let clock = TestClock::still();
        clock.advance(Duration::from_secs(3));
        assert_eq!((clock.monotonic(), clock.now_ms()), (Duration::from_secs(3), WALL_START_MS + 3000));
        clock.set_wall_ms(7);
        clock.advance(Duration::from_secs(1));
        assert_eq!((clock.monotonic(), clock.now_ms()), (Duration::from_secs(4), 7));
    }

    #[test]
    fn a_ticking_clock_moves_with_each_reading() {
        let clock = TestClock::ticking(Duration::from_millis(2));
        assert_eq!([clock.monotonic(), clock.monotonic()], [Duration::ZERO, Duration::from_millis(2)]);
        assert_eq!(clock.now_ms(), WALL_START_MS + 4);
    }

    #[test]
    fn a_real_clock_never_goes_back_and_can_be_ahead() {
        let clock = TestClock::real();
        let before = clock.monotonic();
        clock.advance(Duration::from_mins(1));
        assert!(clock.monotonic() >= before + Duration::from_mins(1));
    }
}
