//! Names of the Raft groups that share a namespace.

use std::fmt;

use minicbor::{Decode, Encode};

/// A Raft group of the metadata service: 0 to 4,095. It is part of every number that a group draws on its own, on the wire
/// and on disk, so that buckets can be spread over several groups without a change of format. This release has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct GroupId(#[n(0)] u16);

impl GroupId {
    /// The group that every cluster has.
    pub const FIRST: Self = Self(0);
    /// Bits of the number.
    pub const BITS: u32 = 12;
    /// The highest number.
    pub const MAX: u16 = (1 << Self::BITS) - 1;

    /// `None` above [`GroupId::MAX`].
    pub const fn new(number: u16) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// The group in the low bits of `number`, whatever the others are.
    pub(super) const fn low_bits(number: u16) -> Self {
        Self(number & Self::MAX)
    }

    /// The number itself.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<'b, C> Decode<'b, C> for GroupId {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.u16()?).ok_or_else(|| minicbor::decode::Error::message("a group above 4095"))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_twelve_bits() {
        assert_eq!((GroupId::new(4095).map(GroupId::get), GroupId::new(4096)), (Some(4095), None));
        assert_eq!(minicbor::decode::<GroupId>(b"\x19\x0f\xff").unwrap(), GroupId(4095));
        assert!(minicbor::decode::<GroupId>(b"\x19\x10\x00").is_err());
        assert_eq!(minicbor::to_vec(GroupId::FIRST).unwrap(), b"\x00");
    }
}
