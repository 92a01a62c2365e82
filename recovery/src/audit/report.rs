//! The report of an audit. The names of its fields are its JSON.

use serde::{Deserialize, Serialize};

use super::health::{Amount, AtRisk, ObjectAtRisk};
use super::state::AuditedState;

/// A whole cluster according to its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    pub cluster_id: String,
    pub metadata: AuditedMetadata,
    /// Whether every checksum was verified, or only the presence of shards.
    pub verified: bool,
    /// Objects that have all their shards.
    pub whole: Amount,
    /// Objects that lack shards and can be read, by the further losses that they survive.
    pub at_risk: Vec<AtRisk>,
    /// Objects that cannot be read from the shards that exist.
    pub lost: Amount,
    /// Objects at risk or lost, worst first: a thousand at most.
    pub listed: Vec<ObjectAtRisk>,
    /// Extents that have a row.
    pub extents: u64,
    /// Extents with a row that lack shards.
    pub extents_at_risk: u64,
    /// Extents by the further losses that they survive, worst first; null for those that cannot be read.
    pub redundancy: Vec<Redundancy>,
    /// Extents of objects that have no row: their objects are lost.
    pub extents_unbooked: u64,
    /// Extents that have a row although no object, part or deletion refers to them.
    pub extents_stray: u64,
    /// Ordered by number; then directories that hold no disk of the cluster.
    pub disks: Vec<AuditedDisk>,
    pub unowned: Unowned,
    pub space: Space,
}

impl AuditReport {
    /// Whether every object has all its shards.
    pub fn is_healthy(&self) -> bool {
        self.at_risk.is_empty() && self.lost.objects == 0
    }
}

/// The member whose metadata was audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedMetadata {
    pub path: String,
    pub member: u64,
    /// The last entry of its log.
    pub log_index: u64,
    /// Members that vote.
    pub voters: u64,
    /// Those of them whose directories were given. With less than a majority, acknowledged commits may be missing.
    pub voters_given: u64,
}

/// Extents that survive the same number of further losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redundancy {
    /// Losses that they survive; null if they cannot be read.
    pub spare: Option<u8>,
    pub extents: u64,
    /// Their bytes, before coding.
    pub bytes: u64,
}

/// A disk of the cluster, or a directory that holds none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedDisk {
    /// Its number; null if the cluster does not know it.
    pub number: Option<u64>,
    /// Its directory; null if it was not given.
    pub path: Option<String>,
    /// Its state when the cluster was stopped; `not used` for a directory that holds none of its disks.
    pub state: AuditedState,
    /// Shards that are where metadata locates them.
    pub good: u64,
    /// Shards that are not there.
    pub missing: u64,
    /// Shards that are damaged, of another shape than metadata says, or reported bad before.
    pub bad: u64,
    /// Shards that metadata does not locate there.
    pub unknown: u64,
    /// Why it could not be read.
    pub error: Option<String>,
}

/// Shards and their bytes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shards {
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

/// Shards that no row locates where they are, by what happens to them once the cluster runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unowned {
    pub total: Shards,
    /// Copies left behind by a move: to be deleted.
    pub left_behind: Shards,
    /// Shards that were being rebuilt: collected unless the rebuild is published.
    pub rebuilding: Shards,
    /// Shards of sessions that have not ended: collected once they have.
    pub of_open_sessions: Shards,
    /// Provable garbage: collected.
    pub garbage: Shards,
    /// Shards of sessions that this metadata never granted. Never collected: the metadata is older than the disks.
    pub of_unknown_sessions: Shards,
}

/// What the bytes of the objects take on the disks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Bytes of all extents that have a row, before coding.
    pub model_bytes: u64,
    /// The same after coding: for each shard that exists, its share of the extent's bytes.
    pub coded_bytes: u64,
    /// Bytes of the records of these shards.
    pub owned_bytes: u64,
    /// Bytes of the records of unowned shards.
    pub unowned_bytes: u64,
    /// Bytes of deleted records that were not freed yet.
    pub dead_bytes: u64,
    /// Bytes that all volumes occupy, as the filesystems count them.
    pub allocated_bytes: u64,
    /// How far the bytes of all live records may be from `coded_bytes`: for headers, descriptors, footers, checksums
    /// and padding.
    pub epsilon_bytes: u64,
    /// Whether they are within it.
    pub is_within: bool,
}
