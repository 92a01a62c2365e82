//! The name of an extent: the session that wrote it and that session's counter.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};

use super::SessionId;

/// A text that does not name an extent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an extent id: expected 32 hexadecimal digits")]
pub struct ExtentIdError(pub String);

/// Names one write attempt of one extent; never used twice, so shards of two attempts can never be confused (I12).
///
/// The session in it is what makes deletion provable: an extent that no version refers to is garbage once its session
/// has ended, because the metadata service accepts no more commits from that session (I13).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct ExtentId {
    /// Session of the gateway that wrote the extent.
    #[n(0)]
    pub session: SessionId,
    /// That session's counter.
    #[n(1)]
    pub counter: u64,
}

impl ExtentId {
    /// Names the extent `counter` of `session`.
    pub const fn new(session: SessionId, counter: u64) -> Self {
        Self { session, counter }
    }

    /// 16 bytes, big-endian, that sort as the ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.session.0) << 64) | u128::from(self.counter)).to_be_bytes()
    }

    /// The inverse of [`ExtentId::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let n = u128::from_be_bytes(bytes);
        Self { session: SessionId((n >> 64) as u64), counter: n as u64 }
    }

    /// The extent `n` places further in the same session.
    pub const fn offset(self, n: u64) -> Self {
        Self { session: self.session, counter: self.counter + n }
    }
}

impl fmt::Display for ExtentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.session.0, self.counter)
    }
}

impl fmt::Debug for ExtentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtentId({:x}/{})", self.session.0, self.counter)
    }
}

impl FromStr for ExtentId {
    type Err = ExtentIdError;

    fn from_str(text: &str) -> Result<Self, ExtentIdError> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ExtentIdError(text.to_owned()));
        }
        let n = u128::from_str_radix(text, 16).map_err(|_| ExtentIdError(text.to_owned()))?;
        Ok(Self::from_bytes(n.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_bytes_read_back_and_sort_as_the_id(a: (u64, u64), b: (u64, u64)) {
            let (x, y) = (ExtentId::new(SessionId(a.0), a.1), ExtentId::new(SessionId(b.0), b.1));
            prop_assert_eq!(x.to_string().parse::<ExtentId>().unwrap(), x);
            prop_assert_eq!(ExtentId::from_bytes(x.to_bytes()), x);
            prop_assert_eq!(x.cmp(&y), x.to_bytes().cmp(&y.to_bytes()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "12", "+0000000000000000000000000000001", "zz000000000000000000000000000000"] {
            assert!(text.parse::<ExtentId>().is_err(), "{text}");
        }
    }
}
