//! The membership record: which directory acts as which member. It is one row in the table of [`super::meta`].
//!
//! A member that has lost its directory has also lost its votes and the entries it acknowledged. If it went on under
//! the same id, a majority could forget what it had promised. So every directory has a random incarnation, drawn when
//! it is created, and takes part only while the record names it.

use cairn_core::id::Incarnation;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, Table};

use super::Row;
use super::meta::{self, Key, MEMBERSHIP_RECORD, Value};
use crate::error::StoreError;
use cairn_core::id::MemberId;

/// A change of the record: the member's directory from now on, or `None` to remove the member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Enroll {
    #[n(0)]
    pub(crate) member: MemberId,
    #[n(1)]
    pub(crate) incarnation: Option<Incarnation>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct MembershipRecord {
    #[n(0)]
    pub(crate) members: Vec<(MemberId, Incarnation)>,
    /// How often the cluster has begun again, from a backup or from the one member that was left.
    #[n(1)]
    pub(crate) recoveries: Option<u64>,
}

impl Row for MembershipRecord {
    const TABLE: &'static str = "meta";
}

impl MembershipRecord {
    /// How often the cluster has begun again.
    pub(crate) fn recoveries(&self) -> u64 {
        self.recoveries.unwrap_or(0)
    }

    /// The directory that acts as `member`.
    pub(crate) fn of(&self, member: MemberId) -> Option<Incarnation> {
        self.members.iter().find(|(id, _)| *id == member).map(|(_, incarnation)| *incarnation)
    }
}

pub(crate) fn record(table: &impl ReadableTable<Key, Value>) -> Result<MembershipRecord, StoreError> {
    Ok(meta::get(table, MEMBERSHIP_RECORD)?.unwrap_or_default())
}

pub(crate) fn put_record(table: &mut Table<'_, Key, Value>, record: &MembershipRecord) -> Result<(), StoreError> {
    meta::put(table, MEMBERSHIP_RECORD, record)
}

pub(crate) fn enroll(table: &mut Table<'_, Key, Value>, change: &Enroll) -> Result<(), StoreError> {
    let mut record = record(table)?;
    record.members.retain(|(member, _)| *member != change.member);
    record.members.extend(change.incarnation.map(|incarnation| (change.member, incarnation)));
    record.members.sort_unstable();
    put_record(table, &record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;

    #[test]
    fn the_membership_record_names_one_directory_for_each_member() {
        let state = State::new();
        let directory = |n| Incarnation::from_bytes([n; 16]);
        for (member, incarnation) in [(2, Some(2)), (1, Some(1)), (2, Some(5)), (3, Some(3)), (1, None)] {
            let (member, incarnation) = (MemberId(member), incarnation.map(directory));
            let change = Enroll { member, incarnation };
            state.write(|tables| enroll(&mut tables.meta, &change).unwrap());
        }
        let record = state.write(|tables| record(&tables.meta).unwrap());
        assert_eq!(record.members, [(MemberId(2), directory(5)), (MemberId(3), directory(3))]);
        assert_eq!((record.of(MemberId(2)), record.of(MemberId(1))), (Some(directory(5)), None));
    }
}
