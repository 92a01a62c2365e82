//! The roll: which directory acts as which member. It has one row in the table of [`super::meta`].
//!
//! A member that has lost its directory has also lost its votes and what it acknowledged; were it to go on under the same
//! number, a majority could forget what it had promised. So every directory has an incarnation, drawn at random when it
//! is made, and takes part only while the roll names it.

use cairn_protocol::rpc::ClientId;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, Table};

use super::Row;
use super::meta::{self, Key, ROLL, Value};
use crate::error::StoreError;
use cairn_core::id::MemberId;

/// Names one directory of one member.
pub(crate) type Incarnation = ClientId;

/// A change of the roll: the member's directory from now on, or nothing for one that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Enroll {
    #[n(0)]
    pub(crate) member: MemberId,
    #[n(1)]
    pub(crate) incarnation: Option<Incarnation>,
}

/// The roll.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Roll {
    #[n(0)]
    pub(crate) members: Vec<(MemberId, Incarnation)>,
    /// How often the cluster has begun anew, from a backup or from one member that was left.
    #[n(1)]
    pub(crate) life: Option<u64>,
}

impl Row for Roll {
    const TABLE: &'static str = "meta";
}

impl Roll {
    /// How often the cluster has begun anew.
    pub(crate) fn life(&self) -> u64 {
        self.life.unwrap_or(0)
    }

    /// The directory that acts as `member`.
    pub(crate) fn of(&self, member: MemberId) -> Option<Incarnation> {
        self.members.iter().find(|(id, _)| *id == member).map(|(_, incarnation)| *incarnation)
    }
}

/// The roll.
pub(crate) fn roll(table: &impl ReadableTable<Key, Value>) -> Result<Roll, StoreError> {
    Ok(meta::get(table, ROLL)?.unwrap_or_default())
}

/// Replaces the roll.
pub(crate) fn put_roll(table: &mut Table<'_, Key, Value>, roll: &Roll) -> Result<(), StoreError> {
    meta::put(table, ROLL, roll)
}

/// Applies a change of the roll.
pub(crate) fn enroll(table: &mut Table<'_, Key, Value>, change: &Enroll) -> Result<(), StoreError> {
    let mut roll = roll(table)?;
    roll.members.retain(|(member, _)| *member != change.member);
    roll.members.extend(change.incarnation.map(|incarnation| (change.member, incarnation)));
    roll.members.sort_unstable();
    put_roll(table, &roll)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;

    #[test]
    fn the_roll_names_one_directory_for_each_member() {
        let state = State::new();
        let directory = |n| Incarnation::from_bytes([n; 16]);
        for (member, incarnation) in [(2, Some(2)), (1, Some(1)), (2, Some(5)), (3, Some(3)), (1, None)] {
            let change = Enroll { member, incarnation: incarnation.map(directory) };
            state.write(|tables| enroll(&mut tables.meta, &change).unwrap());
        }
        let roll = state.write(|tables| roll(&tables.meta).unwrap());
        assert_eq!(roll.members, [(2, directory(5)), (3, directory(3))]);
        assert_eq!((roll.of(2), roll.of(1)), (Some(directory(5)), None));
    }
}
