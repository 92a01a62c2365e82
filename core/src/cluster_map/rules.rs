//! The operator's rules for the profiles of new extents, instead of those that follow from the cluster's size.

use minicbor::{Decode, Encode};

use crate::id::ProfileId;
use crate::name::BucketName;
use crate::storage_class::StorageClass;

/// Rules in one cluster map, which every gateway loads.
pub const RULES_MAX: usize = 1000;

/// The operator's wish for new extents. Stored extents keep the profile under which they were coded.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProfileRule {
    /// The bucket; `None` for all buckets.
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
    /// The storage class; `None` for all classes.
    #[n(4)]
    pub class: Option<StorageClass>,
}

impl ProfileRule {
    /// The profile for an object of this size.
    pub fn pick(&self, object_bytes: u64) -> ProfileId {
        if object_bytes <= self.small_bytes_max { self.small } else { self.large }
    }

    /// The bucket and the class to which the rule applies; `None` for all. There is at most one rule per scope.
    pub fn scope(&self) -> (Option<&BucketName>, Option<StorageClass>) {
        (self.bucket.as_ref(), self.class)
    }

    /// Whether the rule applies to such objects.
    pub(super) fn covers(&self, bucket: Option<&BucketName>, class: Option<StorageClass>) -> bool {
        self.bucket.as_ref().is_none_or(|own| Some(own) == bucket) && self.class.is_none_or(|own| Some(own) == class)
    }

    /// Orders rules that cover the same objects: the one for the bucket takes precedence over the one for the class.
    pub(super) fn specificity(&self) -> (bool, bool) {
        (self.bucket.is_some(), self.class.is_some())
    }
}
