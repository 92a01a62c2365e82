//! Randomness as a parameter.

/// A source of random bytes. Only `server` has the real one; tests use one that they can repeat.
pub trait RandomSource: Send + Sync + 'static {
    /// Sixteen random bytes, enough for an identity.
    fn bytes16(&self) -> [u8; 16];
}
