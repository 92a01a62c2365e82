//! Commands on gateway sessions: the fence that makes deletion provable (I13).

use cairn_core::id::{NodeId, SessionId};
use cairn_core::release::Release;
use minicbor::{Decode, Encode};

/// Opens a session for a gateway and ends every earlier one of the same gateway.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenSession {
    /// Stable over restarts if the gateway has a data directory.
    #[n(0)]
    pub gateway: NodeId,
    /// What the gateway runs. Refused with `OtherRelease` if it does not support the cluster's level.
    #[n(1)]
    pub release: Release,
    /// The gateway's name, for people. Kept from [`cairn_core::release::FeatureLevel::SESSION_NAMES`] on.
    #[n(2)]
    pub name: Option<String>,
}

/// Opens a session for writing system objects, which are backups of the metadata. Ends every earlier one of the same
/// writer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OpenSystemSession {
    #[n(0)]
    pub writer: NodeId,
    /// As in [`OpenSession`].
    #[n(1)]
    pub release: Release,
}

/// Ends a session for good. The leader proposes it when a lease runs out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndSession {
    #[n(0)]
    pub session: SessionId,
}
