//! Which profile new extents get, where the operator wants another than the cluster's size suggests.

use minicbor::{Decode, Encode};

use crate::id::ProfileId;
use crate::name::BucketName;
use crate::storage_class::StorageClass;

/// Rules in one cluster map, which travels to every gateway.
pub const RULES_MAX: usize = 1000;

/// The operator's wish for new extents. What is stored already keeps the profile that it was coded under.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProfileRule {
    /// The bucket; nothing for all buckets.
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
    /// The storage class; nothing for all classes.
    #[n(4)]
    pub class: Option<StorageClass>,
}

impl ProfileRule {
    /// The profile for an object of so many bytes.
    pub fn pick(&self, object_bytes: u64) -> ProfileId {
        if object_bytes <= self.small_bytes_max { self.small } else { self.large }
    }

    /// What the rule is about: a bucket or all, a class or all. There is at most one rule for each.
    pub fn scope(&self) -> (Option<&BucketName>, Option<StorageClass>) {
        (self.bucket.as_ref(), self.class)
    }

    /// Whether the rule says anything of such objects.
    pub(super) fn covers(&self, bucket: Option<&BucketName>, class: Option<StorageClass>) -> bool {
        self.bucket.as_ref().is_none_or(|own| Some(own) == bucket) && self.class.is_none_or(|own| Some(own) == class)
    }

    /// Orders the rules that cover the same objects: the one for the bucket goes before the one for the class.
    pub(super) fn specificity(&self) -> (bool, bool) {
        (self.bucket.is_some(), self.class.is_some())
    }
}
