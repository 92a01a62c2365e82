//! Commands that change buckets.

use cairn_core::id::CommitSequence;
use cairn_core::name::BucketName;
use cairn_core::version::Versioning;
use minicbor::{Decode, Encode};

use crate::metadata::settings::{SettingDocument, SettingKind};

/// Creates a bucket. Refused with `BucketExists` if the name is taken, by whomever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CreateBucket {
    #[n(0)]
    pub name: BucketName,
    /// The region that the client named, to be returned by GetBucketLocation.
    #[n(1)]
    pub region: String,
}

/// Deletes an empty bucket.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeleteBucket {
    #[n(0)]
    pub name: BucketName,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(1)]
    pub revision: Option<CommitSequence>,
}

/// Changes one setting of a bucket, which gives it a new revision. Returns its record after that.
///
/// Refused with `NoSuchBucket`, with `StaleSettings` if another revision is in force, with `LimitReached` for a document
/// that is too large or has too many rules, and with `InvalidSetting` for one that cannot be in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetBucketSetting {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub change: SettingChange,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(2)]
    pub revision: Option<CommitSequence>,
    /// The gateway's wall clock in milliseconds since the Unix epoch, which the client's signature has confirmed.
    #[n(3)]
    pub now_ms: u64,
}

/// The new value of one setting.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SettingChange {
    /// Enabled or suspended. What was versioned stays so: [`Versioning::Unversioned`] is refused.
    #[n(0)]
    Versioning(#[n(0)] Versioning),
    /// `None` removes the document.
    #[n(1)]
    Document(#[n(0)] SettingKind, #[n(1)] Option<SettingDocument>),
}
