//! A bucket's rules.

use minicbor::{Decode, Encode};

use super::Filter;
use crate::id::CommitSequence;

/// One rule, with at least one action. Source: S3 API reference, "LifecycleRule".
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rule {
    /// Its name, unique in the bucket.
    #[n(0)]
    pub id: String,
    /// Whether it is in effect.
    #[n(1)]
    pub enabled: bool,
    /// The objects to which it applies.
    #[n(2)]
    pub filter: Filter,
    /// When current versions expire.
    #[n(3)]
    pub expiration: Option<Expiration>,
    /// When replaced versions expire.
    #[n(4)]
    pub noncurrent: Option<NoncurrentExpiration>,
    /// A multipart upload is aborted this many days after it began.
    #[n(5)]
    pub abort_uploads_days: Option<u32>,
}

/// When current versions expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Expiration {
    /// This many days after they were written, at midnight.
    #[n(0)]
    Days(#[n(0)] u32),
    /// From this time on, in milliseconds since the Unix epoch.
    #[n(1)]
    Date(#[n(0)] u64),
    /// Only delete markers without older versions.
    #[n(2)]
    LoneMarkers,
}

/// When replaced versions expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NoncurrentExpiration {
    /// This many days after they were replaced, at midnight.
    #[n(0)]
    pub days: u32,
    /// The number of newest ones that are kept regardless.
    #[n(1)]
    pub newer_kept: Option<u32>,
}

/// The rules of a bucket, and when they were set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// The rules.
    pub rules: Vec<Rule>,
    /// The commit that set them.
    pub revision: CommitSequence,
    /// In milliseconds since the Unix epoch.
    pub set_ms: u64,
}
