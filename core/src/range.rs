//! Byte ranges of an object.

use std::ops::Range;

use minicbor::{Decode, Encode};

/// A range as a client requests it, before the object's size is known. Source: RFC 9110, section 14.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum ByteRange {
    /// `bytes=first-last`, both inclusive.
    #[n(0)]
    FromTo(#[n(0)] u64, #[n(1)] u64),
    /// `bytes=first-`.
    #[n(1)]
    From(#[n(0)] u64),
    /// `bytes=-count`: the last `count` bytes.
    #[n(2)]
    Suffix(#[n(0)] u64),
}

/// The range contains no byte of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the requested range holds no byte of an object of {size} bytes")]
pub struct UnsatisfiableRange {
    /// The object's size in bytes.
    pub size: u64,
}

impl ByteRange {
    /// The requested bytes of an object of `size` bytes.
    pub fn resolve(self, size: u64) -> Result<Range<u64>, UnsatisfiableRange> {
        let range = match self {
            Self::FromTo(first, last) => first..last.saturating_add(1).min(size),
            Self::From(first) => first..size,
            Self::Suffix(count) => size.saturating_sub(count)..size,
        };
        if range.start < range.end { Ok(range) } else { Err(UnsatisfiableRange { size }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_resolve_as_rfc_9110_says() {
        let none = Err(UnsatisfiableRange { size: 10 });
        for (range, expected) in [
            (ByteRange::FromTo(0, 0), Ok(0..1)),
            (ByteRange::FromTo(3, 99), Ok(3..10)),
            (ByteRange::FromTo(3, u64::MAX), Ok(3..10)),
            (ByteRange::FromTo(10, 12), none.clone()),
            (ByteRange::FromTo(5, 4), none.clone()),
            (ByteRange::From(9), Ok(9..10)),
            (ByteRange::From(10), none.clone()),
            (ByteRange::Suffix(3), Ok(7..10)),
            (ByteRange::Suffix(99), Ok(0..10)),
            (ByteRange::Suffix(0), none),
        ] {
            assert_eq!(range.resolve(10), expected, "{range:?}");
        }
    }
}
