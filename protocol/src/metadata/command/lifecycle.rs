//! Commands by which the leader carries lifecycle rules out.

use cairn_core::id::{CommitSequence, UploadId};
use cairn_core::name::{BucketName, ObjectKey};
use minicbor::{Decode, Encode};

/// Ends versions and uploads that have expired. Skips those that have changed since the leader saw them. Refused with
/// `Stale` if the bucket's rules have changed since.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApplyLifecycle {
    #[n(4)]
    pub bucket: BucketName,
    /// The commit that set the rules. No other bucket ever has the same, also not one of the same name.
    #[n(1)]
    pub revision: CommitSequence,
    #[n(2)]
    pub versions: Vec<EndedVersion>,
    #[n(3)]
    pub uploads: Vec<EndedUpload>,
}

/// A version that has expired.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndedVersion {
    #[n(0)]
    pub key: ObjectKey,
    /// The commit that made it. If the key's version comes from another commit, it stays.
    #[n(1)]
    pub sequence: CommitSequence,
    /// Whether it ends only while it is the newest of its key.
    #[n(2)]
    pub is_current: bool,
}

/// A multipart upload that has expired.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndedUpload {
    #[n(0)]
    pub key: ObjectKey,
    #[n(1)]
    pub upload: UploadId,
}

/// How much was ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct LifecycleApplied {
    #[n(0)]
    pub versions: u64,
    #[n(1)]
    pub bytes: u64,
    #[n(2)]
    pub uploads: u64,
}

/// Advances the service's own time: see `cairn_core::lifecycle::ServiceTime`. Refused with `Stale` if it does not stand
/// at `from_ms`, so that no time is counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AdvanceServiceTime {
    #[n(0)]
    pub from_ms: u64,
    #[n(1)]
    pub to_ms: u64,
    /// The newest commit before the time was measured.
    #[n(2)]
    pub commit: CommitSequence,
    /// Distance between two marks of the last days.
    #[n(3)]
    pub spacing_ms: u64,
}
