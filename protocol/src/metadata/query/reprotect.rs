//! The query of re-encoding.

use cairn_core::descriptor::{Header, PartOf};
use cairn_core::id::{CommitSequence, ProfileId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

use crate::metadata::content::ExtentRun;

/// The next bodies that are not coded as new ones would be. One gateway at a time gets any: the one with the oldest open
/// session.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FindMisfits {
    /// The asker's session.
    #[n(0)]
    pub session: SessionId,
    /// Where to go on; nothing for the beginning.
    #[n(1)]
    pub from: Option<BodyPosition>,
    /// Page size limit.
    #[n(2)]
    pub limit: u32,
}

/// A place in the order of all bodies.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BodyPosition {
    /// The bucket's id.
    #[n(0)]
    pub bucket: u64,
    #[n(1)]
    pub key: String,
    /// The complement of the version's sequence: newer versions come first.
    #[n(2)]
    pub version: u64,
    /// The lowest part that is meant.
    #[n(3)]
    pub part: u32,
}

/// The answer to [`FindMisfits`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MisfitPage {
    /// The re-encoding under way; nothing if there is none, or another gateway sees to it.
    #[n(0)]
    pub rebalance: Option<CommitSequence>,
    /// Whether it waits because a repair or a drain goes first.
    #[n(1)]
    pub is_waiting: bool,
    /// `None` for repair's own cap.
    #[n(2)]
    pub bytes_per_s_max: Option<u64>,
    /// The bodies.
    #[n(3)]
    pub bodies: Vec<Misfit>,
    /// Where to go on; nothing at the end.
    #[n(4)]
    pub next: Option<BodyPosition>,
}

/// A body that is not coded as a new one would be.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Misfit {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub sequence: CommitSequence,
    /// The part, of a version that was uploaded in parts.
    #[n(3)]
    pub part: Option<PartOf>,
    /// Where its bytes are.
    #[n(4)]
    pub run: ExtentRun,
    /// How it should be coded.
    #[n(5)]
    pub wanted: ProfileId,
    /// When it was written, in milliseconds since the Unix epoch.
    #[n(6)]
    pub last_modified_ms: u64,
    /// The object's headers, for the descriptors.
    #[n(7)]
    pub headers: Vec<Header>,
    /// The object's storage class, by which it should be coded.
    #[n(8)]
    pub storage_class: StorageClass,
}
