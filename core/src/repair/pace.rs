//! The rate of repair: never above its cap, never below its guaranteed minimum (I25).

use std::time::Duration;

/// A token bucket whose rate gives way to foreground traffic. Work may begin while there is any credit and is charged
/// in full, so a large shard is paid for after it has begun.
#[derive(Debug, Clone)]
pub struct Pace {
    min: f64,
    max: f64,
    rate: f64,
    /// Bytes that may be moved now; negative while earlier work is being paid for.
    credit: f64,
    at: Duration,
}

/// Successes after which the rate has climbed from zero to the cap.
const STEPS: f64 = 64.0;
/// Seconds of the rate that may be saved up.
const SAVED_S: f64 = 1.0;

impl Pace {
    /// Starts at the cap. Rates are in bytes per second; a minimum above the cap counts as the cap.
    pub fn new(min: u64, max: u64, now: Duration) -> Self {
        let max = max.max(1) as f64;
        Self { min: (min as f64).clamp(1.0, max), max, rate: max, credit: max * SAVED_S, at: now }
    }

    /// Changes minimum and cap. A higher cap is used at once.
    pub fn bound(&mut self, min: u64, max: u64) {
        let max = max.max(1) as f64;
        self.rate = if max > self.max { max } else { self.rate.min(max) };
        self.max = max;
        self.min = (min as f64).clamp(1.0, max);
        self.rate = self.rate.max(self.min);
        self.credit = self.credit.min(self.rate * SAVED_S);
    }

    /// Whether work may begin now.
    pub fn allows(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.credit = (self.credit + passed * self.rate).min(self.rate * SAVED_S);
        self.credit > 0.0
    }

    /// Charges for work that begins.
    pub fn charge(&mut self, bytes: u64) {
        self.credit -= bytes as f64;
    }

    /// A piece of work succeeded, so the rate may rise.
    pub fn eased(&mut self) {
        self.rate = (self.rate + self.max / STEPS).min(self.max);
    }

    /// A disk or node was busy. The rate is halved, down to the minimum, because clients go first.
    pub fn pressed(&mut self) {
        self.rate = (self.rate / 2.0).max(self.min);
    }

    /// The present rate, in bytes per second.
    pub fn rate(&self) -> u64 {
        self.rate as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes moved in `seconds`, in pieces of `bytes`, looked at every 10 ms.
    fn moved(pace: &mut Pace, from_s: u64, seconds: u64, bytes: u64) -> u64 {
        let mut total = 0;
        for ms in (from_s * 1000..(from_s + seconds) * 1000).step_by(10) {
            while pace.allows(Duration::from_millis(ms)) {
                pace.charge(bytes);
                total += bytes;
            }
        }
        total
    }

    #[test]
    fn the_rate_stays_between_minimum_and_cap() {
        let mut pace = Pace::new(100, 1000, Duration::ZERO);
        let at_cap = moved(&mut pace, 0, 100, 37);
        assert!((99_000..=102_000).contains(&at_cap), "{at_cap}");
        (0..20).for_each(|_| pace.pressed());
        moved(&mut pace, 100, 10, 37);
        let at_min = moved(&mut pace, 110, 100, 37);
        assert!((9_900..=10_200).contains(&at_min), "a guaranteed minimum: {at_min}");
        (0..1000).for_each(|_| pace.eased());
        assert_eq!(pace.rate(), 1000);
    }

    #[test]
    fn a_new_cap_holds_at_once() {
        let mut pace = Pace::new(10, 1000, Duration::ZERO);
        pace.bound(10, 100);
        let slower = moved(&mut pace, 0, 100, 37);
        assert!((9_900..=10_200).contains(&slower), "nothing is left of what was saved up: {slower}");
        pace.pressed();
        pace.bound(10, 100);
        assert_eq!(pace.rate(), 50, "saying it again changes nothing");
        pace.bound(10, 500);
        assert_eq!(pace.rate(), 500);
        pace.bound(700, 500);
        (0..20).for_each(|_| pace.pressed());
        assert_eq!(pace.rate(), 500, "a minimum above the cap counts as the cap");
    }

    #[test]
    fn pieces_larger_than_the_rate_are_paid_for_afterwards() {
        let mut pace = Pace::new(1, 1000, Duration::ZERO);
        let total = moved(&mut pace, 0, 100, 5000);
        assert!((95_000..=106_000).contains(&total), "{total}");
    }
}
