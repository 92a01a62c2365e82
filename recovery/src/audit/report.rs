//! What an audit says.

use serde::{Deserialize, Serialize};

use super::health::{Amount, AtRisk, ObjectAtRisk};
use super::state::AuditedState;

/// The whole cluster as its files have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// The cluster.
    pub cluster_id: String,
    /// Whose word metadata is.
    pub metadata: AuditedMetadata,
    /// Whether every checksum was verified, and not only what is there.
    pub verified: bool,
    /// Objects that have all their shards.
    pub whole: Amount,
    /// Objects that lack shards and can be read, by the further losses that they survive.
    pub at_risk: Vec<AtRisk>,
    /// Objects that cannot be read from what is there.
    pub lost: Amount,
    /// Objects at risk or lost, the worst first: a thousand at most.
    pub listed: Vec<ObjectAtRisk>,
    /// Extents that have a row.
    pub extents: u64,
    /// Those that lack shards.
    pub extents_at_risk: u64,
    /// Extents by the further losses that they survive: the worst first, null for those that cannot be read.
    pub redundancy: Vec<Redundancy>,
    /// Extents of objects that have no row: their objects are lost.
    pub extents_unbooked: u64,
    /// Extents that have a row although no object, part or deletion refers to them.
    pub extents_stray: u64,
    /// The disks, by their numbers.
    pub disks: Vec<AuditedDisk>,
    /// Shards that no row has where they lie.
    pub unowned: Unowned,
    /// What the bytes of the objects become on the disks.
    pub space: Space,
}

impl AuditReport {
    /// Whether every object has all its shards.
    pub fn is_healthy(&self) -> bool {
        self.at_risk.is_empty() && self.lost.objects == 0
    }
}

/// Whose word metadata is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedMetadata {
    /// The directory.
    pub path: String,
    /// The member.
    pub member: u64,
    /// The last entry of its log.
    pub log_index: u64,
    /// Members that vote.
    pub voters: u64,
    /// Those of them that were given. Short of a majority, commits may be missing that were acknowledged.
    pub voters_given: u64,
}

/// Extents that survive so many further losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redundancy {
    /// Losses that they survive; null for those that cannot be read.
    pub spare: Option<u8>,
    /// How many extents.
    pub extents: u64,
    /// Their bytes, before coding.
    pub bytes: u64,
}

/// A disk of the cluster, or a directory that was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedDisk {
    /// Its number; null if the cluster does not know it.
    pub number: Option<u64>,
    /// Its directory; null if it was not given.
    pub path: Option<String>,
    /// Its state when the cluster was stopped; `not used` for a directory that holds none of its disks.
    pub state: AuditedState,
    /// Shards that are where metadata has them.
    pub good: u64,
    /// Shards that are not there.
    pub missing: u64,
    /// Shards that are there and damaged, or of another shape than metadata says, or reported bad before.
    pub bad: u64,
    /// Shards that metadata does not have there.
    pub unknown: u64,
    /// Why it could not be looked at.
    pub error: Option<String>,
}

/// Shards, and their bytes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
    /// Shards.
    pub shards: u64,
    /// Bytes of their records.
    pub bytes: u64,
}

impl Shards {
    pub(super) fn add(&mut self, bytes: u64) {
        self.shards += 1;
        self.bytes += bytes;
    }
}

/// Shards that no row has where they lie, by what becomes of them when the cluster runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unowned {
    /// All of them.
    pub total: Shards,
    /// Copies left behind by a move: they wait to be deleted.
    pub left_behind: Shards,
    /// Shards that were being made anew: they are collected, unless the rebuild is published.
    pub rebuilding: Shards,
    /// Shards of gateways whose session has not ended: they are collected once it has.
    pub of_open_sessions: Shards,
    /// Provable garbage: it is collected.
    pub garbage: Shards,
    /// Shards of sessions that this metadata never gave out. Never collected: the metadata is older than the disks.
    pub of_unknown_sessions: Shards,
}

/// What the bytes of the objects become on the disks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Bytes of all extents that have a row, before coding.
    pub model_bytes: u64,
    /// What coding makes of them: for each shard that is there, its share of the extent's bytes.
    pub coded_bytes: u64,
    /// Bytes of the records of these shards.
    pub owned_bytes: u64,
    /// Bytes of the records of shards that nobody owns.
    pub unowned_bytes: u64,
    /// Bytes of deleted records that were not given back yet.
    pub dead_bytes: u64,
    /// Bytes that all volumes occupy, as the filesystems count them.
    pub allocated_bytes: u64,
    /// How far the bytes of all living records may be from `coded_bytes`: for headers, descriptors, footers, checksums
    /// and padding.
    pub epsilon_bytes: u64,
    /// Whether they are that near.
    pub is_within: bool,
}
