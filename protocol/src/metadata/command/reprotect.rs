//! The command of re-encoding.

use cairn_core::id::{CommitSequence, PartNumber, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use minicbor::{Decode, Encode};

use crate::metadata::content::{ExtentRun, PlacedRun};

/// Puts the same bytes, coded anew, in the place of a body. A compare-and-swap: refused with `Stale` unless the version, or
/// its part, still has the body that was read, and the rebalance is under way. Nothing else about the object changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReplaceBody {
    /// The session that wrote the new body.
    #[n(0)]
    pub session: SessionId,
    /// The rebalance that it is part of, which counts it.
    #[n(1)]
    pub rebalance: CommitSequence,
    /// The bucket.
    #[n(2)]
    pub bucket: BucketName,
    /// The key.
    #[n(3)]
    pub key: ObjectKey,
    /// The version.
    #[n(4)]
    pub sequence: CommitSequence,
    /// The part of a version that was uploaded in parts.
    #[n(5)]
    pub part: Option<PartNumber>,
    /// The body that was read.
    #[n(6)]
    pub old: ExtentRun,
    /// The same bytes.
    #[n(7)]
    pub body: PlacedRun,
}
