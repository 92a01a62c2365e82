//! Queries for what the comparison of a restored service with the disks found.

use cairn_core::id::ExtentId;
use cairn_core::name::{BucketName, ObjectKey};
use minicbor::{Decode, Encode};

/// The known extents, in order: those of objects and uploads, and those that wait to be reclaimed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListExtents {
    /// Exclusive.
    #[n(0)]
    pub after: Option<ExtentId>,
    /// Page size limit.
    #[n(1)]
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct KnownExtent {
    #[n(0)]
    pub id: ExtentId,
    /// Shards needed to read it.
    #[n(1)]
    pub data_shards: u8,
    /// In bytes.
    #[n(2)]
    pub length: u64,
}

/// The findings, in the order of their extents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListFindings {
    /// Exclusive.
    #[n(0)]
    pub after: Option<ExtentId>,
    /// Page size limit.
    #[n(1)]
    pub limit: u32,
}

/// A difference between the restored service and the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    /// The first extent of what was found.
    #[n(0)]
    pub extent: ExtentId,
    #[n(1)]
    pub kind: FindingKind,
    /// From the descriptor; `None` if no descriptor can be read.
    #[n(2)]
    pub bucket: Option<BucketName>,
    #[n(3)]
    pub key: Option<ObjectKey>,
    /// As far as is known.
    #[n(4)]
    pub bytes: u64,
    /// When it was written by a gateway's clock, in milliseconds since the Unix epoch.
    #[n(5)]
    pub written_ms: u64,
    /// For people.
    #[n(6)]
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum FindingKind {
    /// In the namespace again: it was written after the backup, or deleted but not yet reclaimed.
    #[n(0)]
    Recovered,
    /// The key holds something newer. The shards are kept until deletions resume.
    #[n(1)]
    Superseded,
    /// Some of it is missing. The shards are kept until deletions resume.
    #[n(2)]
    Incomplete,
    /// In the namespace, but too few of its shards are on the disks: most likely it was deleted after the backup.
    #[n(3)]
    Unreadable,
    /// Parts of an upload with no sign that it was completed. The shards are kept until deletions resume.
    #[n(4)]
    Upload,
}

impl FindingKind {
    /// The name in the output of commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Superseded => "superseded",
            Self::Incomplete => "incomplete",
            Self::Unreadable => "unreadable",
            Self::Upload => "upload",
        }
    }
}

/// The result of a comparison with the disks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct ReconcileTotals {
    /// Shards found on the disks.
    #[n(0)]
    pub shards: u64,
    /// Objects in the namespace again.
    #[n(1)]
    pub recovered: u64,
    /// Extents, objects or uploads that are kept outside the namespace.
    #[n(2)]
    pub kept: u64,
    /// Unreadable extents in the namespace.
    #[n(3)]
    pub unreadable: u64,
    /// In milliseconds since the Unix epoch, for people.
    #[n(4)]
    pub ended_ms: u64,
}
