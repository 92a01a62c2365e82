//! The commands on profiles.

use cairn_core::name::BucketName;
use cairn_core::profile::FailureDomain;
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

/// Says how new extents are coded, in one bucket or in all, where no more specific rule does. What is stored stays as it is.
/// Whether the cluster can hold such extents is for the caller to know.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetProfile {
    /// The bucket; nothing for all.
    #[n(0)]
    pub bucket: Option<BucketName>,
    /// How larger objects are coded, and small ones; nothing to take the rule back.
    #[n(1)]
    pub shapes: Option<(ProfileShape, ProfileShape)>,
    /// Bytes up to which an object is small; 0 for none.
    #[n(2)]
    pub small_bytes_max: u64,
}

/// Says how new extents of one storage class are coded. A command of its own, so that a release that knows no classes
/// refuses it, instead of setting the rule for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetClassProfile {
    /// The class.
    #[n(0)]
    pub class: StorageClass,
    /// The rule.
    #[n(1)]
    pub rule: SetProfile,
}

/// A profile without its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ProfileShape {
    /// Data shards.
    #[n(0)]
    pub data_shards: u8,
    /// Parity shards.
    #[n(1)]
    pub parity_shards: u8,
    /// Bytes of a cell.
    #[n(2)]
    pub cell_bytes: u32,
    /// Shards that are durable before a write is acknowledged.
    #[n(3)]
    pub write_quorum: u8,
    /// No domain of this level holds more than `parity_shards` shards of an extent.
    #[n(4)]
    pub failure_domain: FailureDomain,
}
