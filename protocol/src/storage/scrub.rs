//! The progress of a disk's scrub.

use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use super::fault::ShardReportKind;

/// The scrub of one disk: its progress, its findings, and how the last cycle ended. Bytes count whole records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScrubStatus {
    /// The running cycle, else the last one. Counted from 1.
    #[n(0)]
    pub cycle: u64,
    #[n(1)]
    pub running: bool,
    /// Whether it was requested, and so runs at full scrub speed.
    #[n(2)]
    pub accelerated: bool,
    /// In milliseconds since the Unix epoch, for people.
    #[n(3)]
    pub started_ms: u64,
    /// Bytes verified so far.
    #[n(4)]
    pub done_bytes: u64,
    /// Bytes to verify, as far as is known.
    #[n(5)]
    pub total_bytes: u64,
    /// Shards verified so far.
    #[n(6)]
    pub shards: u64,
    /// Over the last few seconds.
    #[n(7)]
    pub rate_bytes_per_s: u64,
    /// Bad shards found so far.
    #[n(8)]
    pub findings: u64,
    /// Bad shards not yet reported to the metadata service.
    #[n(9)]
    pub unreported: u64,
    #[n(10)]
    pub newest: Vec<ScrubFinding>,
    /// The last complete cycle.
    #[n(11)]
    pub last: Option<ScrubCycle>,
    /// Why it makes no progress; empty if it does.
    #[n(12)]
    pub trouble: String,
}

/// A complete cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScrubCycle {
    #[n(0)]
    pub cycle: u64,
    /// In milliseconds since the Unix epoch.
    #[n(1)]
    pub started_ms: u64,
    /// In milliseconds since the Unix epoch.
    #[n(2)]
    pub ended_ms: u64,
    #[n(3)]
    pub bytes: u64,
    #[n(4)]
    pub shards: u64,
    #[n(5)]
    pub findings: u64,
}

/// A shard that a scrub found bad twice in a row.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScrubFinding {
    #[n(0)]
    pub shard: ShardId,
    /// What is reported to the metadata service.
    #[n(1)]
    pub kind: ShardReportKind,
    /// Where the shard is and what is wrong, for people.
    #[n(2)]
    pub detail: String,
}
