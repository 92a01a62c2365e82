//! The encoding of log entries, on disk and in messages.

use std::sync::Arc;

use cairn_core::release::FeatureLevel;
use minicbor::{Decode, Encode};
use openraft::{Entry, EntryPayload, LogId};

use super::codec::{LogIdRow, MembershipRow};
use super::proposal::Proposal;
use super::types::TypeConfig;

/// An entry as stored in the log and sent in messages.
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

impl EntryRow {
    /// The feature level that it puts in force, if it does.
    pub(crate) fn level(&self) -> Option<FeatureLevel> {
        if let PayloadRow::Proposal(proposal) = &self.payload { proposal.level() } else { None }
    }
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
        Self { log_id: LogId::from(row.log_id), payload }
    }
}

/// Encodes the value behind an [`Arc`].
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
    use crate::raft::proposal::Change;
    use crate::state::tables::Row;
    use cairn_core::id::MemberId;
    use cairn_core::id::SessionId;
    use cairn_protocol::metadata::command::EndSession;
    use openraft::CommittedLeaderId;

    /// The golden entry: a log written by an earlier release stays readable (I30).
    #[test]
    fn an_entry_keeps_its_encoding() {
        let change = Change::Batch(vec![EndSession { session: SessionId(7) }.into()], None);
        let entry = Entry::<TypeConfig> {
            log_id: LogId::new(CommittedLeaderId::new(3, MemberId(1)), 258),
            payload: EntryPayload::Normal(Arc::new(Proposal { proposed_at_ms: 1_790_000_000_000, change })),
        };
        let bytes = EntryRow::from(&entry).to_bytes();
        let golden =
            b"\x82\x83\x03\x01\x19\x01\x02\x82\x02\x81\x82\x1b\x00\x00\x01\xa0\xc4\x50\x6c\x00\x82\x01\x81\x81\x82\x09\x81\x81\x07";
        assert_eq!(bytes, golden);
        let read = Entry::<TypeConfig>::from(EntryRow::read(golden).unwrap());
        assert_eq!(read, entry);
        // A command of a later release is an error, and never nothing.
        let unknown: Vec<u8> = [&golden[..golden.len() - 4], b"\x18\x63\x81\x81\x07"].concat();
        assert!(EntryRow::read(&unknown).is_err());
    }
}
