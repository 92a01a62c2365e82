//! Queries on buckets.

use cairn_core::id::BucketId;
use cairn_core::name::BucketName;
use cairn_core::version::Versioning;
use minicbor::{Decode, Encode};

/// One bucket; refused with `NoSuchBucket`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetBucket {
    /// Its name.
    #[n(0)]
    pub name: BucketName,
}

/// Buckets in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListBuckets {
    /// Only names that start with this.
    #[n(0)]
    pub prefix: String,
    /// Only names after this one.
    #[n(1)]
    pub after: Option<String>,
    /// At most so many.
    #[n(2)]
    pub limit: u32,
}

/// A bucket and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BucketInfo {
    /// Its name.
    #[n(0)]
    pub name: BucketName,
    /// Its id.
    #[n(1)]
    pub id: BucketId,
    /// Its creation, in milliseconds since the Unix epoch.
    #[n(2)]
    pub created_ms: u64,
    /// The region that the creator named.
    #[n(3)]
    pub region: String,
    /// Objects in it, every version counted.
    #[n(4)]
    pub objects: u64,
    /// Their bytes.
    #[n(5)]
    pub bytes: u64,
    /// Whether it keeps versions.
    #[n(6)]
    pub versioning: Versioning,
}

/// A page of buckets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BucketPage {
    /// The buckets.
    #[n(0)]
    pub buckets: Vec<BucketInfo>,
    /// Whether there are more.
    #[n(1)]
    pub truncated: bool,
}
