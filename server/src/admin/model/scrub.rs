//! Scrub.

use cairn_protocol::metadata::command::ShardReportKind;
use serde::{Deserialize, Serialize};

use super::named::named;

/// An entry of the answer to `GET /v1/scrub`: one disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubEntry {
    /// The disk's number in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Name of the node that owns it.
    pub node: String,
    /// Its directory on that node.
    pub path: String,
    /// Its scrub; null while the disk is out of service or its node is silent.
    pub scrub: Option<ScrubProgress>,
}

/// How far a disk's scrub is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubProgress {
    /// The cycle under way, or the last one; counted from 1.
    pub cycle: u64,
    /// Whether it is under way.
    pub running: bool,
    /// Whether an operator started it.
    pub accelerated: bool,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// Bytes verified in it.
    pub done_bytes: u64,
    /// Bytes to verify in it.
    pub total_bytes: u64,
    /// Shards verified in it.
    pub shards: u64,
    /// Bytes per second over the last seconds.
    pub rate_bytes_per_s: u64,
    /// Seconds to its end at that rate; null if it makes no progress.
    pub eta_s: Option<u64>,
    /// Shards found bad in it.
    pub findings: u64,
    /// Bad shards not yet reported to the metadata service.
    pub unreported: u64,
    /// The newest findings.
    pub newest: Vec<FindingEntry>,
    /// The last complete cycle.
    pub last: Option<CycleEntry>,
    /// Why it makes no progress; empty if it does.
    pub trouble: String,
}

/// A shard that a scrub found bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEntry {
    /// The shard, as `EXTENT.INDEX`.
    pub shard: String,
    /// `corrupt` or `missing`.
    pub kind: DamageKind,
    /// Where it lies and what is wrong.
    pub detail: String,
}

/// A complete scrub cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleEntry {
    /// Its number, counted from 1.
    pub cycle: u64,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// Bytes verified.
    pub bytes: u64,
    /// Shards verified.
    pub shards: u64,
    /// Shards found bad.
    pub findings: u64,
}

/// An entry of the answer to `POST /v1/scrub`: one disk whose scrub was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubStarted {
    /// The disk's number in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Why it was not started; null if it was.
    pub error: Option<String>,
}

named! {
    /// What is wrong with a shard.
    pub enum DamageKind {
        Corrupt = "corrupt",
        Missing = "missing",
    }
}

impl From<ShardReportKind> for DamageKind {
    fn from(kind: ShardReportKind) -> Self {
        match kind {
            ShardReportKind::Corrupt => Self::Corrupt,
            ShardReportKind::Missing => Self::Missing,
        }
    }
}
