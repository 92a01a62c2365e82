//! The query for what the processes of the cluster run.

use cairn_core::release::{FeatureLevel, Release};
use minicbor::{Decode, Encode};

/// Which releases the processes run, and whether the feature level can be raised.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetUpgrade {}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct UpgradeStatus {
    /// The level that is in force.
    #[n(0)]
    pub level: FeatureLevel,
    /// The highest level that the leader's release supports.
    #[n(1)]
    pub next: FeatureLevel,
    /// Members of the metadata service, storage nodes, gateways.
    #[n(2)]
    pub processes: Vec<ProcessRelease>,
}

impl UpgradeStatus {
    /// The processes that do not support the next level, as far as is known.
    pub fn behind(&self) -> impl Iterator<Item = &ProcessRelease> {
        self.processes.iter().filter(|process| !process.release.as_ref().is_some_and(|r| r.supports(self.next)))
    }
}

/// What one process runs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProcessRelease {
    #[n(0)]
    pub role: ProcessRole,
    /// The member's number, the node's name, or the gateway's id and session.
    #[n(1)]
    pub name: String,
    /// `None` for a member that does not answer.
    #[n(2)]
    pub release: Option<Release>,
}

/// The role in which a process takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ProcessRole {
    #[n(0)]
    Member,
    #[n(1)]
    StorageNode,
    #[n(2)]
    Gateway,
}

impl std::fmt::Display for ProcessRelease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = match self.role {
            ProcessRole::Member => "metadata member",
            ProcessRole::StorageNode => "storage node",
            ProcessRole::Gateway => "gateway",
        };
        match &self.release {
            Some(release) => write!(f, "{role} {}: {release}", self.name),
            None => write!(f, "{role} {}: it does not answer", self.name),
        }
    }
}
