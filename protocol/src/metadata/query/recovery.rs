//! Queries on what a restored service found when it was compared with the disks.

use cairn_core::id::ExtentId;
use cairn_core::name::{BucketName, ObjectKey};
use minicbor::{Decode, Encode};

/// The extents that the service knows, in order: they belong to something, or wait to be reclaimed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListExtents {
    /// Only those behind this one.
    #[n(0)]
    pub after: Option<ExtentId>,
    /// How many at most.
    #[n(1)]
    pub limit: u32,
}

/// An extent that the service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct KnownExtent {
    #[n(0)]
    pub id: ExtentId,
    /// Shards that it takes to read it.
    #[n(1)]
    pub data_shards: u8,
    /// Bytes in it.
    #[n(2)]
    pub length: u64,
}

/// What reconciliations found, in the order of the extents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListFindings {
    /// Only those behind this extent.
    #[n(0)]
    pub after: Option<ExtentId>,
    /// How many at most.
    #[n(1)]
    pub limit: u32,
}

/// Something that the disks hold and the restored service did not, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    /// Its first extent.
    #[n(0)]
    pub extent: ExtentId,
    /// What it is.
    #[n(1)]
    pub kind: FindingKind,
    /// The bucket, as the descriptor says; nothing where there is none that can be read.
    #[n(2)]
    pub bucket: Option<BucketName>,
    #[n(3)]
    pub key: Option<ObjectKey>,
    /// Bytes, as far as they are known.
    #[n(4)]
    pub bytes: u64,
    /// When it was written, in milliseconds since the Unix epoch, by the clock of a gateway.
    #[n(5)]
    pub written_ms: u64,
    /// For people.
    #[n(6)]
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum FindingKind {
    /// It is in the namespace again: written after the backup, or deleted and not yet gone from the disks.
    #[n(0)]
    Recovered,
    /// The key holds something newer. It is kept until deletions are resumed.
    #[n(1)]
    Superseded,
    /// Not all of it is there. It is kept until deletions are resumed.
    #[n(2)]
    Incomplete,
    /// It is in the namespace, and too few of its shards are on the disks: most likely deleted after the backup.
    #[n(3)]
    Unreadable,
    /// Parts of an upload that nothing shows to have been completed. Kept until deletions are resumed.
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

/// What a reconciliation came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct ReconcileTotals {
    /// Shards on the disks.
    #[n(0)]
    pub shards: u64,
    /// Objects that came back.
    #[n(1)]
    pub recovered: u64,
    /// Extents, objects or uploads that are kept and not in the namespace.
    #[n(2)]
    pub kept: u64,
    /// Extents in the namespace that cannot be read.
    #[n(3)]
    pub unreadable: u64,
    /// When it ended, in milliseconds since the Unix epoch, for people.
    #[n(4)]
    pub ended_ms: u64,
}
