//! Failures of a storage node.

use cairn_core::id::DiskId;
use minicbor::{Decode, Encode};

/// Kinds of failure. They are never confused with each other (I9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum StorageErrorKind {
    /// The disk works and does not hold the shard.
    #[n(0)]
    Missing,
    /// What the disk holds does not match its checksum or does not name the shard that was asked for.
    #[n(1)]
    Corrupt,
    /// There was no answer, so the outcome is unknown.
    #[n(2)]
    Unreachable,
    /// Free space is below the reserve: the disk takes no new shards.
    #[n(3)]
    Full,
    /// A write or a read failed. An affected write is not acknowledged (I2), and a failed read is no evidence of what
    /// is stored (I9).
    #[n(4)]
    Failed,
    /// The directory holds another disk, another cluster's disk, or none (I18).
    #[n(5)]
    Foreign,
    /// This node does not own such a disk, or the disk is not in service.
    #[n(6)]
    NoSuchDisk,
    /// The node has as much work as it takes: try another disk, or retry later.
    #[n(7)]
    Busy,
    /// The order is older than a commit that the node has seen, or its proof does not cover the shards (I15).
    #[n(8)]
    Refused,
    #[n(9)]
    Invalid,
    /// The process ran out of file descriptors or memory. The disk is not at fault (I21).
    #[n(10)]
    OutOfResources,
    /// An operation of the disk has not come back. Until it does, nothing is begun there: try another disk (I24).
    #[n(11)]
    Hanging,
}

/// A failed call to a storage node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode)]
#[error("disk {disk}: {kind:?}: {detail}")]
pub struct StorageError {
    #[n(0)]
    pub kind: StorageErrorKind,
    #[n(1)]
    pub disk: DiskId,
    /// For people.
    #[n(2)]
    pub detail: String,
}

impl StorageError {
    pub fn new(kind: StorageErrorKind, disk: DiskId, detail: impl Into<String>) -> Self {
        Self { kind, disk, detail: detail.into() }
    }
}
