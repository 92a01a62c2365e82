//! Randomness as a parameter.

/// A source of random bytes. Only `server` has the real one; tests hand in one that they can repeat.
pub trait RandomSource: Send + Sync + 'static {
    /// Sixteen random bytes: what an identity is made of.
    fn bytes16(&self) -> [u8; 16];
}
