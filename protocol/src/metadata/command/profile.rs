//! Commands that set how new extents are coded.

use cairn_core::name::BucketName;
use cairn_core::profile::FailureDomain;
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

/// Sets how new extents are coded, in one bucket or in all, unless a more specific rule applies. Stored extents stay as
/// they are. The caller has checked that the cluster can hold such extents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetProfile {
    /// `None` for all buckets.
    #[n(0)]
    pub bucket: Option<BucketName>,
    /// How larger objects are coded, then small ones. `None` removes the rule.
    #[n(1)]
    pub shapes: Option<(ProfileShape, ProfileShape)>,
    /// Bytes up to which an object is small; 0 for none.
    #[n(2)]
    pub small_bytes_max: u64,
}

/// Sets how new extents of one storage class are coded. A command of its own, so that a release that knows no classes
/// refuses it, instead of setting the rule for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetClassProfile {
    #[n(0)]
    pub class: StorageClass,
    #[n(1)]
    pub rule: SetProfile,
}

/// A profile without its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ProfileShape {
    #[n(0)]
    pub data_shards: u8,
    #[n(1)]
    pub parity_shards: u8,
    #[n(2)]
    pub cell_bytes: u32,
    /// Shards that are durable before a write is acknowledged.
    #[n(3)]
    pub write_quorum: u8,
    /// No domain of this level holds more than `parity_shards` shards of an extent.
    #[n(4)]
    pub failure_domain: FailureDomain,
}
