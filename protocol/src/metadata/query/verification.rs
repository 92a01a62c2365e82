//! The query that compares metadata with the disks.

use cairn_core::id::{CommitSequence, DiskNumber};
use minicbor::{Decode, Encode};

/// The running or the last comparison of all metadata with the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetVerification {
    /// Starts one, unless one is running.
    #[n(0)]
    pub start: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Verification {
    /// How many this leader has started. The report belongs to the last one that has ended.
    #[n(0)]
    pub begun: u64,
    #[n(1)]
    pub is_running: bool,
    /// Shards compared so far.
    #[n(2)]
    pub shards_compared: u64,
    /// Shards that should exist, for a progress bar.
    #[n(3)]
    pub shards_expected: u64,
    /// The last one's result.
    #[n(4)]
    pub report: Option<VerifyReport>,
}

/// The result of comparing metadata with the disks' inventories (I10).
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifyReport {
    /// The commit as of which the metadata was read.
    #[n(0)]
    pub commit: CommitSequence,
    /// Objects with all of their shards.
    #[n(1)]
    pub whole: Amount,
    /// Objects with too few shards, by the further losses that they survive.
    #[n(2)]
    pub at_risk: Vec<(u8, Amount)>,
    /// Objects that cannot be read at present.
    #[n(3)]
    pub lost: Amount,
    /// The first of the lost objects and of those at risk, worst first.
    #[n(4)]
    pub listed: Vec<ObjectAtRisk>,
    /// Including those of open uploads and of released contents.
    #[n(5)]
    pub extents: u64,
    /// Extents with too few shards.
    #[n(6)]
    pub extents_at_risk: u64,
    #[n(7)]
    pub disks: Vec<VerifiedDisk>,
    /// Complete extents with more shards in one failure domain than needed.
    #[n(8)]
    #[cbor(default)]
    pub crowded_extents: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Amount {
    #[n(0)]
    pub objects: u64,
    /// Before coding.
    #[n(1)]
    pub bytes: u64,
}

/// An object at risk or lost.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ObjectAtRisk {
    #[n(0)]
    pub bucket: String,
    #[n(1)]
    pub key: String,
    /// Further losses that it survives; `None` if it is lost.
    #[n(2)]
    pub spare: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifiedDisk {
    #[n(0)]
    pub disk: DiskNumber,
    /// Shards that are where metadata places them.
    #[n(1)]
    pub good: u64,
    /// Shards that metadata places on the disk and that it does not hold. All of them are queued for repair.
    #[n(2)]
    pub missing: u64,
    /// Shards on the disk that metadata does not place there: garbage not yet collected, and writes in progress.
    #[n(3)]
    pub unknown: u64,
    /// Why the inventory could not be read. All its shards then count as missing.
    #[n(4)]
    pub error: Option<String>,
}

impl VerifiedDisk {
    /// A disk of which nothing is known yet.
    #[must_use]
    pub fn of(disk: DiskNumber) -> Self {
        Self { disk, good: 0, missing: 0, unknown: 0, error: None }
    }
}
