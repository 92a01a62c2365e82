//! Commands on gateway sessions: the fence that makes deletion provable (I13).

use cairn_core::id::{NodeId, SessionId};
use minicbor::{Decode, Encode};

/// Opens a session for a gateway and ends every earlier one of the same gateway.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenSession {
    /// The gateway's identity, kept over its restarts where it has a place to keep it.
    #[n(0)]
    pub gateway: NodeId,
}

/// Opens a session in which system objects are written: backups of the metadata. Ends every earlier one of the same
/// writer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenSystemSession {
    /// Who writes.
    #[n(0)]
    pub writer: NodeId,
}

/// Ends a session for good: the leader proposes it when a lease runs out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndSession {
    /// The session.
    #[n(0)]
    pub session: SessionId,
}
