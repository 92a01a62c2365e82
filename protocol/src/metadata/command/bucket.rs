//! Commands that change buckets.

use cairn_core::name::BucketName;
use cairn_core::version::Versioning;
use minicbor::{Decode, Encode};

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
}

/// Enables or suspends versioning. Refused for [`Versioning::Unversioned`]: what was versioned stays so.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetVersioning {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub versioning: Versioning,
}
