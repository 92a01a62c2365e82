//! Numbers that the metadata service assigns: dense and ordered, so that rows stay small.
//!
//! Those that a Raft group draws on its own have the group's number in them, see [`GroupId`]: two groups never give the same
//! one, and whoever meets one knows whose it is.

use minicbor::{Decode, Encode};
use std::fmt;

use super::group::GroupId;
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
    /// A bucket. If it is deleted and created again, it gets a new id. The upper 16 bits name the group that created it; the
    /// uppermost is set for the bucket of system objects.
    BucketId(u64)
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
    /// A gateway's lease with a group of the metadata service, which the upper 16 bits name. The uppermost is set for system
    /// objects.
    SessionId(u64)
);

/// Bits of a bucket's or session's number below its group.
const NUMBER_BITS: u32 = 48;
/// Marks what belongs to the system and not to users. It is above all groups, so these sort last.
const SYSTEM: u64 = 1 << 63;

/// The number of bucket or session `number` of `group`.
const fn in_group(group: GroupId, number: u64) -> u64 {
    ((group.get() as u64) << NUMBER_BITS) | (number & ((1 << NUMBER_BITS) - 1))
}

impl BucketId {
    /// The bucket of system objects, which are backups of the metadata.
    pub const SYSTEM: Self = Self(SYSTEM);

    /// Bucket `number` of `group`, below 2^48.
    pub const fn new(group: GroupId, number: u64) -> Self {
        Self(in_group(group, number))
    }
}

impl SessionId {
    /// Session `number` of `group`, below 2^48.
    pub const fn new(group: GroupId, number: u64) -> Self {
        Self(in_group(group, number))
    }

    /// Session `number` of `group` for system objects, which are backups of the metadata. Their extents sort after all
    /// others, so that they can be found on a disk without metadata.
    pub const fn system(group: GroupId, number: u64) -> Self {
        Self(SYSTEM | in_group(group, number))
    }

    /// Whether system objects are written in it.
    pub const fn is_system(self) -> bool {
        self.0 & SYSTEM != 0
    }

    /// The group that opened it.
    pub const fn group(self) -> GroupId {
        GroupId::low_bits((self.0 >> NUMBER_BITS) as u16)
    }

    /// Its number. Sessions of both kinds share one count.
    pub const fn number(self) -> u64 {
        self.0 & ((1 << NUMBER_BITS) - 1)
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
        let [first_group, last_group] = [GroupId::FIRST, GroupId::new(GroupId::MAX).unwrap()];
        let (first, ordinary) = (SessionId::system(first_group, 0), SessionId::new(last_group, u64::MAX));
        assert!(first > ordinary && first.is_system() && !ordinary.is_system());
        let sessions = [SessionId::system(last_group, 7), SessionId::new(last_group, 7)];
        assert_eq!(sessions.map(|session| (session.group(), session.number())), [(last_group, 7); 2]);
        assert_eq!(SessionId::new(first_group, 7), SessionId(7), "the first group's are plain numbers");
        assert!(BucketId::SYSTEM > BucketId::new(last_group, u64::MAX));
    }

    #[test]
    fn part_numbers_are_one_to_ten_thousand() {
        assert_eq!(PartNumber::new(1).unwrap().get(), 1);
        assert_eq!(PartNumber::new(10_000).unwrap().get(), 10_000);
        assert_eq!(PartNumber::new(0), Err(PartNumberError(0)));
        assert_eq!(PartNumber::new(10_001), Err(PartNumberError(10_001)));
    }
}
