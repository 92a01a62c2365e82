//! What can go wrong at a storage node.

use cairn_core::id::DiskId;
use minicbor::{Decode, Encode};

/// The kinds of failure, which are never confused with each other (I9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum StorageErrorKind {
    /// The disk works and does not hold the shard.
    #[n(0)]
    Missing,
    /// What the disk holds does not match its checksum or does not name the shard that was asked for.
    #[n(1)]
    Corrupt,
    /// No answer, or no way to tell what became of the request.
    #[n(2)]
    Unreachable,
    /// Below the reserve of free space: nothing new is taken.
    #[n(3)]
    Full,
    /// The disk failed a write or a read: what was being written is not acknowledged (I2), and a failed read says
    /// nothing about what is stored (I9).
    #[n(4)]
    Failed,
    /// The directory holds another disk, another cluster's disk, or none (I18).
    #[n(5)]
    Foreign,
    /// This node does not own such a disk, or the disk is not in service.
    #[n(6)]
    NoSuchDisk,
    /// More is under way than the node takes: try another disk, or later.
    #[n(7)]
    Busy,
    /// The order is older than what the node has seen, or its proof does not cover the shards (I15).
    #[n(8)]
    Refused,
    /// The request itself is wrong.
    #[n(9)]
    Invalid,
    /// The process ran out of descriptors or memory; the disk is not to blame (I21).
    #[n(10)]
    OutOfResources,
}

/// A failed call to a storage node: what kind, which disk, and what happened there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode)]
#[error("disk {disk}: {kind:?}: {detail}")]
pub struct StorageError {
    /// What kind of failure.
    #[n(0)]
    pub kind: StorageErrorKind,
    /// The disk that was addressed.
    #[n(1)]
    pub disk: DiskId,
    /// What happened, for people.
    #[n(2)]
    pub detail: String,
}

impl StorageError {
    /// An error of `kind` at `disk`.
    pub fn new(kind: StorageErrorKind, disk: DiskId, detail: impl Into<String>) -> Self {
        Self { kind, disk, detail: detail.into() }
    }
}
