//! Numbers that the metadata service assigns: dense and ordered, so that rows stay small.

use minicbor::{Decode, Encode};
use std::fmt;

use crate::limits::PART_NUMBER_MAX;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A bucket. If it is deleted and created again, it gets a new id.
    BucketId(u64)
);
number!(
    /// Place of a commit in the metadata service's log. Orders versions of a key: the highest is the newest.
    CommitSequence(u64)
);
number!(
    /// A multipart upload: the commit sequence at which it was created.
    UploadId(u64)
);
number!(
    /// A disk's short name in the cluster map. Never reused, even after the disk is removed.
    DiskNumber(u32)
);
number!(
    /// Version of the cluster map.
    Epoch(u64)
);
number!(
    /// Counts the changes of one extent's locations. A repair publishes only if the generation is still the one it
    /// started from.
    Generation(u32)
);
number!(
    /// An erasure-coding profile.
    ProfileId(u16)
);
number!(
    /// A gateway's lease with the metadata service. The upper 16 bits name the namespace shard, so that splitting the
    /// namespace over several Raft groups changes routing and not the format.
    SessionId(u64)
);

/// The namespace shard that system objects are written under.
const SYSTEM_SHARD: u64 = 0xffff;
/// Bits of a session's number below its namespace shard.
const SESSION_NUMBER_BITS: u32 = 48;

impl SessionId {
    /// Session `number` for system objects, which are backups of the metadata. Their extents sort after all others, so
    /// that they can be found on a disk without metadata.
    pub const fn system(number: u64) -> Self {
        Self((SYSTEM_SHARD << SESSION_NUMBER_BITS) | number)
    }

    /// Whether system objects are written in it.
    pub const fn is_system(self) -> bool {
        self.0 >> SESSION_NUMBER_BITS == SYSTEM_SHARD
    }

    /// Its number. Sessions of both kinds share one count.
    pub const fn number(self) -> u64 {
        if self.is_system() { self.0 & ((1 << SESSION_NUMBER_BITS) - 1) } else { self.0 }
    }
}

/// A part number outside 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("part number {0} is outside 1..={PART_NUMBER_MAX}")]
pub struct PartNumberError(pub u64);

/// Number of a part in a multipart upload: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct PartNumber(#[n(0)] u32);

impl PartNumber {
    /// Accepts 1 to 10,000.
    pub fn new(number: u64) -> Result<Self, PartNumberError> {
        match u32::try_from(number) {
            Ok(n) if (1..=PART_NUMBER_MAX).contains(&n) => Ok(Self(n)),
            _ => Err(PartNumberError(number)),
        }
    }

    /// The number itself.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'b, C> Decode<'b, C> for PartNumber {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.u64()?).map_err(minicbor::decode::Error::custom)
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_sessions_sort_last_and_are_counted_with_the_others() {
        let (first, ordinary) = (SessionId::system(0), SessionId(u64::MAX >> 16));
        assert!(first > ordinary && first.is_system() && !ordinary.is_system());
        assert_eq!((SessionId::system(7).number(), SessionId(7).number()), (7, 7));
    }

    #[test]
    fn part_numbers_are_one_to_ten_thousand() {
        assert_eq!(PartNumber::new(1).unwrap().get(), 1);
        assert_eq!(PartNumber::new(10_000).unwrap().get(), 10_000);
        assert_eq!(PartNumber::new(0), Err(PartNumberError(0)));
        assert_eq!(PartNumber::new(10_001), Err(PartNumberError(10_001)));
    }
}
