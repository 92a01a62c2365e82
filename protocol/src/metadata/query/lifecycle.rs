//! Queries for lifecycle rules.

use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::Rule;
use cairn_core::name::BucketName;
use minicbor::{Decode, Encode};

/// Refused with `NoSuchBucket`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetLifecycle {
    #[n(0)]
    pub bucket: BucketName,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LifecycleView {
    /// The commit that set them.
    #[n(0)]
    pub revision: CommitSequence,
    #[n(1)]
    pub rules: Vec<Rule>,
}
