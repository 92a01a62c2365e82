//! Random numbers.

/// A repeatable sequence of random numbers.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

pub(crate) fn random(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(1);
    (0..bytes).map(|_| dice.roll(256) as u8).collect()
}
