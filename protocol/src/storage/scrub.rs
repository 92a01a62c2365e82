//! How far a disk's scrub is.

use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use super::fault::ShardReportKind;

/// The scrub of one disk: how far the cycle is, what it found, and how the last one ended. Byte counts are those of
/// whole records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScrubStatus {
    /// The cycle that is under way, or the last one; counted from 1.
    #[n(0)]
    pub cycle: u64,
    /// Whether it is under way.
    #[n(1)]
    pub running: bool,
    /// Whether it was asked for, and runs as fast as scrubs may.
    #[n(2)]
    pub accelerated: bool,
    /// When it began, in milliseconds since the Unix epoch; for people.
    #[n(3)]
    pub started_ms: u64,
    /// Bytes verified in it.
    #[n(4)]
    pub done_bytes: u64,
    /// Bytes that it has to verify, as far as is known now.
    #[n(5)]
    pub total_bytes: u64,
    /// Shards verified in it.
    #[n(6)]
    pub shards: u64,
    /// Bytes per second over the last seconds.
    #[n(7)]
    pub rate_bytes_per_s: u64,
    /// Shards that it found bad.
    #[n(8)]
    pub findings: u64,
    /// Bad shards that the metadata service has not been told of yet.
    #[n(9)]
    pub unreported: u64,
    /// The newest findings.
    #[n(10)]
    pub newest: Vec<ScrubFinding>,
    /// The last cycle that went to its end.
    #[n(11)]
    pub last: Option<ScrubCycle>,
    /// Why it stands still; empty if it does not.
    #[n(12)]
    pub trouble: String,
}

/// A cycle that went to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScrubCycle {
    /// Which one.
    #[n(0)]
    pub cycle: u64,
    /// When it began, in milliseconds since the Unix epoch.
    #[n(1)]
    pub started_ms: u64,
    /// When it ended.
    #[n(2)]
    pub ended_ms: u64,
    /// Bytes verified.
    #[n(3)]
    pub bytes: u64,
    /// Shards verified.
    #[n(4)]
    pub shards: u64,
    /// Shards found bad.
    #[n(5)]
    pub findings: u64,
}

/// A shard that a scrub found bad, twice in a row.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScrubFinding {
    /// The shard.
    #[n(0)]
    pub shard: ShardId,
    /// What the metadata service is told.
    #[n(1)]
    pub kind: ShardReportKind,
    /// Where it lies and what is wrong, for people.
    #[n(2)]
    pub detail: String,
}
