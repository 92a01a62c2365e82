//! Random bytes that repeat.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::RandomSource;

/// A [`RandomSource`] whose n-th value is a hash of its seed and n. It repeats in each run, and has no value twice.
#[derive(Debug, Default)]
pub struct CountingRandom {
    seed: u64,
    drawn: AtomicU64,
}

impl CountingRandom {
    /// Sources of different seeds share no value.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl RandomSource for CountingRandom {
    fn bytes16(&self) -> [u8; 16] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut input = [0; 16];
        input[..8].copy_from_slice(&self.seed.to_le_bytes());
        input[8..].copy_from_slice(&drawn.to_le_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(&input).as_bytes()[..16]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_repeat_by_seed_and_differ_within_it() {
        let (one, again, other) = (CountingRandom::new(1), CountingRandom::new(1), CountingRandom::new(2));
        let first = one.bytes16();
        assert_eq!(first, again.bytes16());
        assert_ne!(first, other.bytes16());
        assert_ne!(first, one.bytes16());
    }
}
