//! The real source of randomness.
#![allow(clippy::disallowed_methods, reason = "this is where ambient randomness enters the process")]

use cairn_core::random::RandomSource;
use rand::RngExt;

/// The thread's generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn bytes16(&self) -> [u8; 16] {
        rand::rng().random()
    }
}
