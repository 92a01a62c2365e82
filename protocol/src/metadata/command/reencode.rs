//! The command that re-encodes an object.

use cairn_core::id::{CommitSequence, PartNumber, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use minicbor::{Decode, Encode};

use crate::metadata::content::{ExtentRun, PlacedRun};

/// Replaces a body by the same bytes, re-encoded. A compare-and-swap: refused with `Stale` unless the version, or its
/// part, still has the body that was read, and the rebalance is running. Nothing else about the object changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReplaceBody {
    /// The session that wrote the new body.
    #[n(0)]
    pub session: SessionId,
    /// The rebalance that counts it.
    #[n(1)]
    pub rebalance: CommitSequence,
    #[n(2)]
    pub bucket: BucketName,
    #[n(3)]
    pub key: ObjectKey,
    #[n(4)]
    pub sequence: CommitSequence,
    /// `None` unless the version was uploaded in parts.
    #[n(5)]
    pub part: Option<PartNumber>,
    #[n(6)]
    pub old: ExtentRun,
    #[n(7)]
    pub body: PlacedRun,
}
