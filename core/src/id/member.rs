//! Members of the metadata service, and their directories.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::random::RandomSource;

/// The number of a member of the metadata service, which the operator gives it. Never used by two members at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct MemberId(#[n(0)] pub u64);

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for MemberId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// One life of a member's directory, drawn at random when the directory is made: a directory that was emptied has
/// another one, and has forgotten what the one before had promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Incarnation(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl Incarnation {
    /// Draws a new one.
    pub fn draw(random: &dyn RandomSource) -> Self {
        Self(random.bytes16())
    }

    /// Takes the bytes of an existing one.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories and logs of earlier releases stay readable (I30).
    #[test]
    fn members_and_incarnations_are_encoded_as_the_number_and_the_bytes() {
        let mut bytes = Vec::new();
        minicbor::encode(MemberId(258), &mut bytes).unwrap();
        assert_eq!(bytes, b"\x19\x01\x02");
        let incarnation = Incarnation::from_bytes([7; 16]);
        bytes.clear();
        minicbor::encode(incarnation, &mut bytes).unwrap();
        assert_eq!(bytes, [[0x50].as_slice(), [7; 16].as_slice()].concat());
        assert_eq!(minicbor::decode::<Incarnation>(&bytes).unwrap(), incarnation);
    }
}
