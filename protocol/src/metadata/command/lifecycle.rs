//! Commands on lifecycle rules, and those by which the leader carries them out.

use cairn_core::id::{BucketId, CommitSequence, UploadId};
use cairn_core::lifecycle::Rule;
use cairn_core::name::{BucketName, ObjectKey};
use minicbor::{Decode, Encode};

/// Replaces the lifecycle rules of a bucket. Refused with `NoSuchBucket`, or with `LimitReached` for more rules than a
/// bucket can have.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetLifecycle {
    /// The bucket.
    #[n(0)]
    pub bucket: BucketName,
    /// The rules; none for a bucket without lifecycle.
    #[n(1)]
    pub rules: Vec<Rule>,
    /// The gateway's wall clock in milliseconds since the Unix epoch, which the client's signature has confirmed.
    #[n(2)]
    pub now_ms: u64,
}

/// Lets versions and uploads of a bucket go whose time has come. What has changed since it was seen is passed over. Refused
/// with `Stale` if the bucket has other rules by now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApplyLifecycle {
    /// The bucket.
    #[n(0)]
    pub bucket: BucketId,
    /// The commit that set the rules.
    #[n(1)]
    pub revision: CommitSequence,
    /// The versions.
    #[n(2)]
    pub versions: Vec<EndedVersion>,
    /// The uploads.
    #[n(3)]
    pub uploads: Vec<EndedUpload>,
}

/// A version whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndedVersion {
    /// Its key.
    #[n(0)]
    pub key: ObjectKey,
    /// The commit that made it: it goes only if it is there, and by this commit.
    #[n(1)]
    pub sequence: CommitSequence,
    /// Whether it goes only as the newest of its key.
    #[n(2)]
    pub is_current: bool,
}

/// A multipart upload whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EndedUpload {
    /// Its key.
    #[n(0)]
    pub key: ObjectKey,
    /// The upload.
    #[n(1)]
    pub upload: UploadId,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct LifecycleApplied {
    /// Versions.
    #[n(0)]
    pub versions: u64,
    /// Their bytes.
    #[n(1)]
    pub bytes: u64,
    /// Uploads.
    #[n(2)]
    pub uploads: u64,
}

/// Goes on with the time that the service has lived through: see `cairn_core::lifecycle::ServiceTime`. Refused with
/// `Stale` if it stands elsewhere than at `from_ms`, so that no time is counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AdvanceServiceTime {
    /// Where it stands, in milliseconds.
    #[n(0)]
    pub from_ms: u64,
    /// Where it goes.
    #[n(1)]
    pub to_ms: u64,
    /// The newest commit that was there before the time was measured.
    #[n(2)]
    pub commit: CommitSequence,
    /// Time between two marks of the last days, in milliseconds.
    #[n(3)]
    pub spacing_ms: u64,
}
