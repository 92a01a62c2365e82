//! Verification.

use serde::{Deserialize, Serialize};

pub use cairn_recovery::audit::{Amount, AtRisk, ObjectAtRisk};

/// The answer to `GET` and `POST /v1/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How many were started since the leader took over.
    pub number: u64,
    /// Whether one is under way.
    pub is_running: bool,
    /// Shards compared so far.
    pub shards_compared: u64,
    /// Shards that should exist.
    pub shards_expected: u64,
    /// The result of the last one.
    pub report: Option<VerifyReport>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// The commit whose state was verified.
    pub commit: u64,
    /// Objects that have all their shards.
    pub whole: Amount,
    /// Objects that lack shards and can be read, by the further losses that they survive.
    pub at_risk: Vec<AtRisk>,
    /// Objects that cannot be read now.
    pub lost: Amount,
    /// Objects at risk or lost, worst first; not all if there are many.
    pub listed: Vec<ObjectAtRisk>,
    /// All extents.
    pub extents: u64,
    /// Extents that lack shards.
    pub extents_at_risk: u64,
    /// Extents with all their shards but more in one failure domain than needed.
    pub crowded_extents: u64,
    /// The disks.
    pub disks: Vec<VerifiedDisk>,
}

impl VerifyReport {
    /// Whether every object has all its shards, and no extent is crowded.
    pub fn is_healthy(&self) -> bool {
        self.at_risk.is_empty() && self.lost.objects == 0 && self.crowded_extents == 0
    }
}

/// A disk that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedDisk {
    /// Its number.
    pub number: u64,
    /// Shards that are where metadata locates them.
    pub good: u64,
    /// Shards that are not there.
    pub missing: u64,
    /// Shards that metadata does not locate there.
    pub unknown: u64,
    /// Why it could not be verified.
    pub error: Option<String>,
}
