//! Upgrades: what the processes of the cluster run.

use cairn_protocol::metadata::query;
use serde::{Deserialize, Serialize};

use super::named::named;

/// The answer to `GET /v1/upgrade`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeStatus {
    /// The feature level that is in force.
    pub level: u32,
    /// The highest level that the release of the metadata leader supports.
    pub next_level: u32,
    /// Whether every process supports that level, so that the cluster can be raised to it.
    pub can_finalize: bool,
    /// Members of the metadata service, storage nodes with disks in the cluster, gateways with a session.
    pub processes: Vec<ProcessRelease>,
}

/// What one process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRelease {
    /// `member`, `storage-node` or `gateway`.
    pub role: ProcessRole,
    /// The member's number, the node's name, or the gateway's id and session.
    pub name: String,
    /// The version of its release; null if it does not answer.
    pub version: Option<String>,
    /// The lowest feature level that it supports; null if it does not answer.
    pub oldest_level: Option<u32>,
    /// The highest feature level that it supports; null if it does not answer.
    pub newest_level: Option<u32>,
    /// Whether it supports the next level.
    pub is_ready: bool,
}

named! {
    /// The role in which a process takes part.
    pub enum ProcessRole {
        Member = "member",
        StorageNode = "storage-node",
        Gateway = "gateway",
    }
}

impl From<query::ProcessRole> for ProcessRole {
    fn from(role: query::ProcessRole) -> Self {
        match role {
            query::ProcessRole::Member => Self::Member,
            query::ProcessRole::StorageNode => Self::StorageNode,
            query::ProcessRole::Gateway => Self::Gateway,
        }
    }
}
