//! How a call to the metadata service can end other than well.

use cairn_core::id::{PartNumber, SessionId};
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

/// A command that was understood and refused, or a query for what is not there. State is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode)]
pub enum Rejection {
    /// No bucket of that name.
    #[n(0)]
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// A bucket of that name exists already.
    #[n(1)]
    #[error("the bucket exists already")]
    BucketExists,
    /// The bucket still holds versions or uploads.
    #[n(2)]
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// No object under that key.
    #[n(3)]
    #[error("the key does not exist")]
    NoSuchKey,
    /// The key has no such version.
    #[n(4)]
    #[error("the version does not exist")]
    NoSuchVersion,
    /// A condition of the request does not hold.
    #[n(5)]
    #[error("a precondition does not hold")]
    PreconditionFailed,
    /// No such multipart upload for that key.
    #[n(6)]
    #[error("the upload does not exist")]
    NoSuchUpload,
    /// A part is missing, or its entity tag or checksum is another.
    #[n(7)]
    #[error("part {0} was not uploaded or has another entity tag")]
    InvalidPart(#[n(0)] PartNumber),
    /// Parts are not named in ascending order.
    #[n(8)]
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    /// A part other than the last is smaller than the minimum.
    #[n(9)]
    #[error("part {number} has {bytes} bytes, fewer than the minimum")]
    PartTooSmall {
        /// The part.
        #[n(0)]
        number: PartNumber,
        /// Its size.
        #[n(1)]
        bytes: u64,
    },
    /// The session has been ended: nothing that it wrote may be committed any more (I13).
    #[n(10)]
    #[error("session {0} has ended")]
    SessionEnded(#[n(0)] SessionId),
    /// The cluster has as many buckets or disks as it can have.
    #[n(11)]
    #[error("a limit of the cluster is reached: {0}")]
    LimitReached(#[n(0)] String),
    /// The node or disk is not what the cluster map says it is.
    #[n(12)]
    #[error("refused by the cluster: {0}")]
    Topology(#[n(0)] String),
    /// The part number is not one of the object's.
    #[n(13)]
    #[error("the object has no such part")]
    NoSuchPart,
    /// The object would exceed the largest size.
    #[n(14)]
    #[error("the object would be larger than an object can be")]
    ObjectTooLarge,
    /// The version that was asked for, or the newest one, is a delete marker.
    #[n(15)]
    #[error("the version {0} is a delete marker")]
    DeleteMarker(#[n(0)] VersionId),
    /// The extent is gone or its shards have moved since the plan was made, or the rebuild was ended (I11).
    #[n(20)]
    #[error("the plan is out of date: {0}")]
    Stale(#[n(0)] String),
}

/// A call that failed. `Unavailable` and `Rejected` changed nothing; after `Unknown` the command may have been applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Refused; the outcome is *no*.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// No leader was reached; the outcome is *no*.
    #[error("the metadata service is not available: {0}")]
    Unavailable(String),
    /// The answer was lost; the outcome is *unknown*.
    #[error("no answer from the metadata service: {0}")]
    Unknown(String),
    /// The peer said something that makes no sense here.
    #[error("the metadata service answered something unexpected: {0}")]
    Protocol(String),
    /// The service's own store failed.
    #[error("the metadata store failed: {0}")]
    Store(String),
}

impl MetadataError {
    /// Whether it is certain that a command was not and will not be applied: only then may its shards be deleted.
    pub const fn is_definite_no(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Unavailable(_))
    }
}
