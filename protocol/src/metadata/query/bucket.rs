//! Queries for buckets.

use cairn_core::id::CommitSequence;
use cairn_core::name::BucketName;
use minicbor::{Decode, Encode};

use crate::metadata::settings::{BucketRecord, SettingDocument, SettingKind};

/// A bucket's record and those of its documents that are newer than what the asker knows. Refused with `NoSuchBucket`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GetBucketSettings {
    #[n(0)]
    pub bucket: BucketName,
    /// The revision that the asker knows, if any.
    #[n(1)]
    pub known: Option<CommitSequence>,
}

/// The settings of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BucketSettings {
    #[n(0)]
    pub record: BucketRecord,
    /// Those that were set after the revision that the asker knows.
    #[n(1)]
    pub documents: Vec<StampedDocument>,
}

/// A document and the commit that set it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StampedDocument {
    #[n(0)]
    pub kind: SettingKind,
    #[n(1)]
    pub revision: CommitSequence,
    #[n(2)]
    pub document: SettingDocument,
}

/// In the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListBuckets {
    #[n(0)]
    pub prefix: String,
    /// Exclusive.
    #[n(1)]
    pub after: Option<String>,
    /// Page size limit.
    #[n(2)]
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BucketInfo {
    #[n(0)]
    pub name: BucketName,
    #[n(1)]
    pub record: BucketRecord,
    /// Every version counts.
    #[n(2)]
    pub objects: u64,
    #[n(3)]
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BucketPage {
    #[n(0)]
    pub buckets: Vec<BucketInfo>,
    #[n(1)]
    pub truncated: bool,
}
