//! What the log carries.

use std::sync::Arc;

use cairn_core::id::HistoryId;
use cairn_protocol::metadata::{Command, Outcome, Rejection};
use cairn_protocol::rpc::CallTag;
use minicbor::{Decode, Encode};
use openraft::{Entry, EntryPayload, LogId};

use super::codec::{LogIdRow, MembershipRow};
use super::{MemberId, TypeConfig};
use crate::commands::Bootstrap;
use crate::tables::members::Enroll;

/// One proposal of the leader: a batch of commands that share one log entry, one sync and one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Proposal {
    /// The leader's clock, in milliseconds since the Unix epoch: the only way for time to enter the state (I20).
    #[n(0)]
    pub(crate) proposed_at_ms: u64,
    /// What changes.
    #[n(1)]
    pub(crate) change: Change,
}

/// What a proposal changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Change {
    /// Forms the cluster.
    #[n(0)]
    Bootstrap(#[n(0)] Bootstrap),
    /// Commands, each with an outcome of its own, and the tags of those that have one, in the same order.
    #[n(1)]
    Batch(#[n(0)] Vec<Command>, #[n(1)] Option<Vec<Option<CallTag>>>),
    /// Changes the roll of members.
    #[n(2)]
    Enroll(#[n(0)] Enroll),
    /// Lets a restored service delete again.
    #[n(3)]
    EndRestoreHold,
    /// A leader begins its term: from here on this id is in force.
    #[n(4)]
    BeginHistory(#[n(0)] HistoryId),
}

/// The outcomes of an entry, one per command.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Nothing for the repetition of a command whose outcome is not remembered any more: it was not applied now, and may
    /// have been before.
    pub(crate) outcomes: Vec<Option<Result<Outcome, Rejection>>>,
}

/// An entry as it stands in the log and in messages.
#[derive(Debug, Encode, Decode)]
pub(crate) struct EntryRow {
    #[n(0)]
    log_id: LogIdRow,
    #[n(1)]
    payload: PayloadRow,
}

#[derive(Debug, Encode, Decode)]
enum PayloadRow {
    #[n(0)]
    Blank,
    #[n(1)]
    Membership(#[n(0)] MembershipRow),
    #[n(2)]
    Proposal(
        #[n(0)]
        #[cbor(with = "shared")]
        Arc<Proposal>,
    ),
}

impl From<&Entry<TypeConfig>> for EntryRow {
    fn from(entry: &Entry<TypeConfig>) -> Self {
        let payload = match &entry.payload {
            EntryPayload::Blank => PayloadRow::Blank,
            EntryPayload::Normal(proposal) => PayloadRow::Proposal(Arc::clone(proposal)),
            EntryPayload::Membership(membership) => PayloadRow::Membership(MembershipRow::new(None, membership)),
        };
        Self { log_id: entry.log_id.into(), payload }
    }
}

impl From<EntryRow> for Entry<TypeConfig> {
    fn from(row: EntryRow) -> Self {
        let payload = match row.payload {
            PayloadRow::Blank => EntryPayload::Blank,
            PayloadRow::Proposal(proposal) => EntryPayload::Normal(proposal),
            PayloadRow::Membership(membership) => EntryPayload::Membership(membership.membership()),
        };
        Self { log_id: LogId::<MemberId>::from(row.log_id), payload }
    }
}

/// The encoding of what is behind an [`Arc`].
mod shared {
    use std::sync::Arc;

    use minicbor::{
        Decode, Decoder, Encode, Encoder, decode::Error as DecodeError, encode::Error as EncodeError, encode::Write,
    };

    pub(super) fn encode<C, T: Encode<C>, W: Write>(
        value: &Arc<T>,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        value.as_ref().encode(e, context)
    }

    pub(super) fn decode<'b, C, T: Decode<'b, C>>(d: &mut Decoder<'b>, context: &mut C) -> Result<Arc<T>, DecodeError> {
        T::decode(d, context).map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Row;
    use cairn_core::id::SessionId;
    use cairn_protocol::metadata::command::EndSession;
    use openraft::CommittedLeaderId;

    /// The golden entry: a log that was written by an earlier release stays readable (I30).
    #[test]
    fn an_entry_is_encoded_as_ever() {
        let change = Change::Batch(vec![EndSession { session: SessionId(7) }.into()], None);
        let entry = Entry::<TypeConfig> {
            log_id: LogId::new(CommittedLeaderId::new(3, 1), 258),
            payload: EntryPayload::Normal(Arc::new(Proposal { proposed_at_ms: 1_790_000_000_000, change })),
        };
        let bytes = EntryRow::from(&entry).to_bytes();
        let golden =
            b"\x82\x83\x03\x01\x19\x01\x02\x82\x02\x81\x82\x1b\x00\x00\x01\xa0\xc4\x50\x6c\x00\x82\x01\x81\x81\x82\x09\x81\x81\x07";
        assert_eq!(bytes, golden);
        let read = Entry::<TypeConfig>::from(EntryRow::read(golden).unwrap());
        assert_eq!(read, entry);
    }
}
