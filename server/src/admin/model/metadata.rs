//! The metadata service: its members, backups, and what its comparison with the disks found.

use cairn_protocol::metadata::query;
use serde::{Deserialize, Serialize};

use super::named::named;

/// The answer to `GET /v1/metadata/members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataMembers {
    /// The members, ordered by number.
    pub members: Vec<MetadataMember>,
    /// The leader's Raft term.
    pub term: u64,
    /// The leader's last log entry.
    pub log_index: u64,
    /// Whether a change of the members is under way.
    pub is_changing: bool,
    /// Whether the service was restored or recovered and so deletes nothing until an operator allows it.
    pub deletions_held: bool,
    /// The result of its comparison with the disks; null until that has ended.
    #[serde(default)]
    pub reconciled: Option<Reconciled>,
}

/// A member of the metadata service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataMember {
    /// Its number.
    pub member: u64,
    /// `host:port` of its internal RPC.
    pub addr: String,
    /// `leader`, `voter`, or `learner`: one that is copying the state and will then vote.
    pub role: MemberRole,
    /// Whether it answers now.
    pub answers: bool,
    /// Log entries that it is not known to have; null if it has not answered since the leader took over.
    pub lag_entries: Option<u64>,
}

/// The result of the comparison of a restored service with the disks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciled {
    /// Shards on the disks.
    pub shards: u64,
    /// Objects that are in the namespace again.
    pub recovered: u64,
    /// Bodies and fragments that are kept on the disks and are not in the namespace.
    pub kept: u64,
    /// Extents in the namespace that cannot be read.
    pub unreadable: u64,
    /// When it ended, in milliseconds since the Unix epoch.
    pub ended_ms: u64,
}

/// An entry of the answer to `GET /v1/metadata/findings`: something that the disks hold and the restored
/// service did not, or the reverse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryFinding {
    /// Its first extent.
    pub extent: String,
    /// `recovered`, `superseded`, `incomplete`, `unreadable` or `upload`.
    pub kind: FindingKind,
    /// The bucket, as the disks say.
    pub bucket: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// Bytes, as far as known.
    pub bytes: u64,
    /// When it was written, in milliseconds since the Unix epoch, by the clock of a gateway.
    pub written_ms: u64,
    /// What is wrong, for people.
    pub detail: String,
}

/// The answer to `POST /v1/metadata/backups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBackup {
    /// Sequence number of the newest commit in it.
    pub commit: u64,
    /// Objects in it.
    pub objects: u64,
    /// Bytes of rows in it.
    pub bytes: u64,
}

named! {
    /// The role of a member. A learner is copying the state and will then vote.
    pub enum MemberRole {
        Leader = "leader",
        Voter = "voter",
        Learner = "learner",
    }
}

impl From<query::MemberRole> for MemberRole {
    fn from(role: query::MemberRole) -> Self {
        match role {
            query::MemberRole::Leader => Self::Leader,
            query::MemberRole::Voter => Self::Voter,
            query::MemberRole::Learner => Self::Learner,
        }
    }
}

named! {
    /// How the disks and a restored service differ.
    pub enum FindingKind {
        /// In the namespace again.
        Recovered = "recovered",
        /// The key holds something newer.
        Superseded = "superseded",
        /// Not all of it is on the disks.
        Incomplete = "incomplete",
        /// In the namespace, with too few shards on the disks.
        Unreadable = "unreadable",
        /// Parts of an upload that may not have been completed.
        Upload = "upload",
    }
}

impl From<query::FindingKind> for FindingKind {
    fn from(kind: query::FindingKind) -> Self {
        match kind {
            query::FindingKind::Recovered => Self::Recovered,
            query::FindingKind::Superseded => Self::Superseded,
            query::FindingKind::Incomplete => Self::Incomplete,
            query::FindingKind::Unreadable => Self::Unreadable,
            query::FindingKind::Upload => Self::Upload,
        }
    }
}
