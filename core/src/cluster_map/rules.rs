//! Which profile new extents get, where the operator wants another than the cluster's size suggests.

use minicbor::{Decode, Encode};

use crate::id::ProfileId;
use crate::name::BucketName;

/// Rules in one cluster map, which travels to every gateway.
pub const RULES_MAX: usize = 1000;

/// The operator's wish for new extents. What is stored already keeps the profile that it was coded under.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProfileRule {
    /// The bucket; nothing for all buckets without a rule of their own.
    #[n(0)]
    pub bucket: Option<BucketName>,
    /// The profile of larger objects.
    #[n(1)]
    pub large: ProfileId,
    /// The profile of small objects.
    #[n(2)]
    pub small: ProfileId,
    /// Bytes up to which an object is small; 0 for none.
    #[n(3)]
    pub small_bytes_max: u64,
}

impl ProfileRule {
    /// The profile for an object of so many bytes.
    pub fn pick(&self, object_bytes: u64) -> ProfileId {
        if object_bytes <= self.small_bytes_max { self.small } else { self.large }
    }
}
