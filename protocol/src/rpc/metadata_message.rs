//! Calls of the metadata service on the wire.

use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::metadata_call::CallTag;
use crate::metadata::{Command, MetadataError, OperatorRequest, Rejection, Signal};

macro_rules! group_path {
    ($call:literal) => {
        GroupPath {
            direct: concat!("/rpc/v1/group/0/metadata/", $call),
            relay: concat!("/rpc/v1/group/0/relay/", $call),
        }
    };
}

/// Paths of the calls of the first group, the only one that this release has. Each is a POST of one CBOR message, and names the
/// group after `group/`.
pub struct MetadataPath;

impl MetadataPath {
    pub const EXECUTE: GroupPath = group_path!("execute");
    pub const QUERY: GroupPath = group_path!("query");
    /// A signal or a request of an operator in, the leader's answer to a signal out.
    pub const SIGNAL: GroupPath = group_path!("signal");
}

/// The two paths of a call.
#[derive(Debug, Clone, Copy)]
pub struct GroupPath {
    /// To the leader. Another member answers that it does not lead.
    pub direct: &'static str,
    /// To a member that passes the call on to the leader, which the caller does not reach.
    pub relay: &'static str,
}

/// The message of [`MetadataPath::EXECUTE`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Execute {
    #[n(0)]
    pub command: Command,
    /// Names the command, so that it takes effect once however often it is sent. Without a name a command that is
    /// repeated is a new command.
    #[n(1)]
    pub call: Option<CallTag>,
}

/// A message of [`MetadataPath::SIGNAL`], as it is received: its number says which of the two it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderMessage {
    /// Something that the leader should know.
    Signal(Signal),
    /// Something that an operator asks for.
    Operator(OperatorRequest),
}

impl<C> Encode<C> for LeaderMessage {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, context: &mut C) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Signal(signal) => signal.encode(e, context),
            Self::Operator(request) => request.encode(e, context),
        }
    }
}

impl<'b, C> Decode<'b, C> for LeaderMessage {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let mut ahead = d.probe();
        ahead.array()?;
        if ahead.u32()? < OperatorRequest::FIRST_NUMBER {
            Signal::decode(d, context).map(Self::Signal)
        } else {
            OperatorRequest::decode(d, context).map(Self::Operator)
        }
    }
}

/// Why a member did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode)]
pub enum MetadataFailure {
    /// Refused; the outcome is *no*.
    #[n(0)]
    #[error("{0}")]
    Rejected(#[n(0)] Rejection),
    /// The member does not lead and has done nothing. The address of the leader, if it knows it.
    #[n(1)]
    #[error("this member does not lead the metadata service")]
    NotLeader(#[n(0)] Option<String>),
    /// The member cannot serve at present and has done nothing.
    #[n(2)]
    #[error("the metadata service is not available: {0}")]
    Unavailable(#[n(0)] String),
    /// The member cannot tell whether the command was applied.
    #[n(3)]
    #[error("the outcome is unknown: {0}")]
    Unknown(#[n(0)] String),
    #[n(4)]
    #[error("the metadata store failed: {0}")]
    Store(#[n(0)] String),
}

impl From<MetadataFailure> for MetadataError {
    fn from(failure: MetadataFailure) -> Self {
        match failure {
            MetadataFailure::Rejected(rejection) => Self::Rejected(rejection),
            MetadataFailure::NotLeader(None) => Self::Unavailable("no leader is known".to_owned()),
            MetadataFailure::NotLeader(Some(leader)) => Self::Unavailable(format!("the leader is {leader}")),
            MetadataFailure::Unavailable(detail) => Self::Unavailable(detail),
            MetadataFailure::Unknown(detail) => Self::Unknown(detail),
            MetadataFailure::Store(detail) => Self::Store(detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{MemberId, SessionId};

    use super::*;
    use crate::metadata::MemberAddress;

    /// Operators' requests came as signals of these numbers first: members of both releases take them (I30).
    #[test]
    fn signals_and_requests_of_operators_share_a_path_and_are_told_apart_by_their_number() {
        let signal = Signal::RenewSession(SessionId(7));
        let add = OperatorRequest::AddMember(MemberAddress { member: MemberId(3), addr: "a:1".to_owned() });
        assert_eq!(minicbor::to_vec(&signal).unwrap(), b"\x82\x00\x81\x07");
        assert_eq!(minicbor::to_vec(&add).unwrap(), b"\x82\x0a\x81\x82\x03\x63a:1");
        assert_eq!(minicbor::to_vec(OperatorRequest::RemoveMember(MemberId(3))).unwrap(), b"\x82\x0b\x81\x03");
        assert_eq!(minicbor::to_vec(OperatorRequest::TransferLead(MemberId(3))).unwrap(), b"\x82\x0c\x81\x03");
        assert_eq!(minicbor::to_vec(OperatorRequest::EndRestoreHold).unwrap(), b"\x82\x0d\x80");
        let read = |bytes: Vec<u8>| minicbor::decode::<LeaderMessage>(&bytes).unwrap();
        for bytes in [minicbor::to_vec(&signal).unwrap(), minicbor::to_vec(&add).unwrap()] {
            assert_eq!(minicbor::to_vec(read(bytes.clone())).unwrap(), bytes, "as it was received");
        }
        assert_eq!(read(minicbor::to_vec(&signal).unwrap()), LeaderMessage::Signal(signal));
        assert_eq!(read(minicbor::to_vec(&add).unwrap()), LeaderMessage::Operator(add));
        let end = OperatorRequest::EndRestoreHold;
        assert_eq!(read(minicbor::to_vec(&end).unwrap()), LeaderMessage::Operator(end));
    }
}
