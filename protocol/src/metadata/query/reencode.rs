//! The query for bodies to re-encode.

use cairn_core::descriptor::{Header, PartOf};
use cairn_core::id::{CommitSequence, ProfileId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

use crate::metadata::content::ExtentRun;

/// The next off-profile bodies: those whose coding differs from what a new body would get. Only the gateway with the
/// oldest open session gets any.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FindOffProfile {
    /// Of the asking gateway.
    #[n(0)]
    pub session: SessionId,
    /// `None` to start from the beginning.
    #[n(1)]
    pub from: Option<BodyPosition>,
    /// Page size limit.
    #[n(2)]
    pub limit: u32,
}

/// A position in the order of all bodies.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BodyPosition {
    #[n(0)]
    pub bucket: u64,
    #[n(1)]
    pub key: String,
    /// The complement of the version's sequence, because newer versions come first.
    #[n(2)]
    pub version: u64,
    /// The first part to look at.
    #[n(3)]
    pub part: u32,
}

/// A page of off-profile bodies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OffProfilePage {
    /// The running re-encoding; `None` if there is none, or another gateway does it.
    #[n(0)]
    pub rebalance: Option<CommitSequence>,
    /// Whether it waits for a repair or a drain, which go first.
    #[n(1)]
    pub is_waiting: bool,
    /// `None` for repair's own cap.
    #[n(2)]
    pub bytes_per_s_max: Option<u64>,
    #[n(3)]
    pub bodies: Vec<OffProfileBody>,
    /// Where the next page starts; `None` at the end.
    #[n(4)]
    pub next: Option<BodyPosition>,
}

/// A body whose coding differs from what a new one would get.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OffProfileBody {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub sequence: CommitSequence,
    /// `None` unless the version was uploaded in parts.
    #[n(3)]
    pub part: Option<PartOf>,
    #[n(4)]
    pub run: ExtentRun,
    /// The profile that it should have.
    #[n(5)]
    pub wanted: ProfileId,
    /// In milliseconds since the Unix epoch.
    #[n(6)]
    pub last_modified_ms: u64,
    /// For the descriptors of the new shards.
    #[n(7)]
    pub headers: Vec<Header>,
    /// Decides how the body should be coded.
    #[n(8)]
    pub storage_class: StorageClass,
}
