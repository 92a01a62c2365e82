//! Calls of the metadata service on the wire.

use minicbor::{Decode, Encode};

use super::metadata_call::CallTag;
use crate::metadata::{Command, MetadataError, Rejection};

/// Paths of the calls. Each is a POST of one CBOR message.
pub struct MetadataPath;

impl MetadataPath {
    pub const EXECUTE: &'static str = "/rpc/v1/metadata/execute";
    pub const QUERY: &'static str = "/rpc/v1/metadata/query";
    pub const SIGNAL: &'static str = "/rpc/v1/metadata/signal";
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

/// Why a member did not do what it was asked to.
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
