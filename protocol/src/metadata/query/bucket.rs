//! Queries for buckets.

use cairn_core::id::BucketId;
use cairn_core::name::BucketName;
use cairn_core::version::Versioning;
use minicbor::{Decode, Encode};

/// Refused with `NoSuchBucket`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetBucket {
    #[n(0)]
    pub name: BucketName,
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
    pub id: BucketId,
    /// In milliseconds since the Unix epoch.
    #[n(2)]
    pub created_ms: u64,
    /// As its creator named it.
    #[n(3)]
    pub region: String,
    /// Every version counts.
    #[n(4)]
    pub objects: u64,
    #[n(5)]
    pub bytes: u64,
    #[n(6)]
    pub versioning: Versioning,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BucketPage {
    #[n(0)]
    pub buckets: Vec<BucketInfo>,
    #[n(1)]
    pub truncated: bool,
}
