//! The place of a change in the order of all changes.

use std::fmt;

use minicbor::{Decode, Encode};

use super::group::GroupId;

/// Maximum number of commands in one log entry: their numbers have ten bits.
pub const COMMANDS_PER_ENTRY_MAX: usize = 1 << ITEM_BITS;
const ITEM_BITS: u32 = 10;
const INDEX_BITS: u32 = u64::BITS - ITEM_BITS - GroupId::BITS;

/// The place of a command in its group's log, and the group. Of two of one group the higher is the newer. Orders the versions
/// of a key: the highest is the newest.
///
/// From the highest bit on: 42 bits for the number of the log entry, 10 for the command's number in it, 12 for the group.
/// The group stands last because it says nothing about the order: a group that takes over a bucket begins above what the one
/// before has reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct CommitSequence(#[n(0)] pub u64);

impl CommitSequence {
    /// The number of the last log entry that has a place: 4.4e12, which lasts 13 years at 10,000 entries a second.
    pub const INDEX_MAX: u64 = (1 << INDEX_BITS) - 1;

    /// The place of command `item` of log entry `index`; `None` if the numbers are used up.
    pub fn new(group: GroupId, index: u64, item: usize) -> Option<Self> {
        let fits = index <= Self::INDEX_MAX && item < COMMANDS_PER_ENTRY_MAX;
        let place = (index << ITEM_BITS) | item as u64;
        fits.then_some(Self((place << GroupId::BITS) | u64::from(group.get())))
    }

    /// Before everything that `group` does.
    pub fn start(group: GroupId) -> Self {
        Self(u64::from(group.get()))
    }

    /// Whose log it is about.
    pub const fn group(self) -> GroupId {
        GroupId::low_bits(self.0 as u16)
    }

    /// The number of the log entry.
    pub const fn index(self) -> u64 {
        self.0 >> (ITEM_BITS + GroupId::BITS)
    }
}

impl fmt::Display for CommitSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(group: u16, index: u64, item: usize) -> CommitSequence {
        CommitSequence::new(GroupId::new(group).unwrap(), index, item).unwrap()
    }

    #[test]
    fn sequences_follow_the_log_and_name_their_group() {
        let ordered = [at(7, 1, 0), at(7, 1, 1), at(7, 1, 1023), at(7, 2, 0), at(7, CommitSequence::INDEX_MAX, 1023)];
        assert!(ordered.is_sorted_by(|a, b| a < b));
        assert!(ordered.iter().all(|sequence| sequence.group().get() == 7));
        assert_eq!(ordered.map(CommitSequence::index), [1, 1, 1, 2, CommitSequence::INDEX_MAX]);
        assert!(at(4095, 5, 3) < at(0, 5, 4), "the group says nothing about the order");
        assert_eq!(at(4095, CommitSequence::INDEX_MAX, 1023), CommitSequence(u64::MAX));
    }

    #[test]
    fn numbers_that_are_used_up_are_refused() {
        assert_eq!(CommitSequence::new(GroupId::FIRST, CommitSequence::INDEX_MAX + 1, 0), None);
        assert_eq!(CommitSequence::new(GroupId::FIRST, 1, COMMANDS_PER_ENTRY_MAX), None);
    }
}
