//! Failures of calls to the metadata service.

use cairn_core::id::{PartNumber, SessionId};
use cairn_core::release::FeatureLevel;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

use super::settings::BucketRecord;

/// A command that was refused, or a query for something that does not exist. The state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Encode, Decode)]
pub enum Rejection {
    #[n(0)]
    #[error("the bucket does not exist")]
    NoSuchBucket,
    #[n(1)]
    #[error("the bucket exists already")]
    BucketExists,
    /// It still holds versions or uploads.
    #[n(2)]
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    #[n(3)]
    #[error("the key does not exist")]
    NoSuchKey,
    #[n(4)]
    #[error("the version does not exist")]
    NoSuchVersion,
    #[n(5)]
    #[error("a precondition does not hold")]
    PreconditionFailed,
    #[n(6)]
    #[error("the upload does not exist")]
    NoSuchUpload,
    /// It was not uploaded, or its entity tag or checksum differs.
    #[n(7)]
    #[error("part {0} was not uploaded or has another entity tag")]
    InvalidPart(#[n(0)] PartNumber),
    #[n(8)]
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    #[n(9)]
    #[error("part {number} has {bytes} bytes, fewer than the minimum")]
    PartTooSmall {
        #[n(0)]
        number: PartNumber,
        /// In bytes.
        #[n(1)]
        bytes: u64,
    },
    /// Nothing that the session wrote may be committed any more (I13).
    #[n(10)]
    #[error("session {0} has ended")]
    SessionEnded(#[n(0)] SessionId),
    #[n(11)]
    #[error("a limit of the cluster is reached: {0}")]
    LimitReached(#[n(0)] String),
    /// A node or disk does not agree with the cluster map.
    #[n(12)]
    #[error("refused by the cluster: {0}")]
    Topology(#[n(0)] String),
    #[n(13)]
    #[error("the object has no such part")]
    NoSuchPart,
    #[n(14)]
    #[error("the object would exceed the size limit")]
    ObjectTooLarge,
    /// The requested version, or else the newest one, is a delete marker.
    #[n(15)]
    #[error("the version is a delete marker")]
    DeleteMarker(#[n(0)] VersionId),
    /// The leader has too little room for it. Nothing was proposed.
    #[n(16)]
    #[error("the metadata service has no room: {0}")]
    NoRoom(#[n(0)] String),
    /// The extent is gone or its shards have moved since the plan was made, or the rebuild was ended (I11).
    #[n(20)]
    #[error("the plan is out of date: {0}")]
    Stale(#[n(0)] String),
    /// The command was decided under other settings of its bucket. This is the record that is in force.
    #[n(21)]
    #[error("the settings of the bucket have changed: revision {} is in force", .0.revision)]
    StaleSettings(#[n(0)] BucketRecord),
    /// A setting that can be in force in no bucket.
    #[n(22)]
    #[error("the setting is not valid: {0}")]
    InvalidSetting(#[n(0)] String),
    /// A process runs a release that does not fit the cluster's feature level.
    #[n(23)]
    #[error("{0}")]
    OtherRelease(#[n(0)] String),
    /// The command came with a later feature level than the cluster has.
    #[n(24)]
    #[error("this needs feature level {0}, which the cluster is raised to by `cairn cluster upgrade finalize`")]
    NotYet(#[n(0)] FeatureLevel),
}

/// A failed call. `Unavailable` and `Rejected` changed nothing. After `Unknown` the command may have been applied.
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
    /// The answer does not belong to the question.
    #[error("unexpected answer from the metadata service: {0}")]
    Protocol(String),
    #[error("the metadata store failed: {0}")]
    Store(String),
}

impl MetadataError {
    /// Whether it is certain that a command was not and will not be applied: only then may its shards be deleted.
    pub const fn is_definite_no(&self) -> bool {
        matches!(self, Self::Rejected(_) | Self::Unavailable(_))
    }
}
