//! A bucket's rules.

use minicbor::{Decode, Encode};

use super::Filter;
use crate::id::CommitSequence;

/// One rule. At least one of its actions is there. Source: S3 API reference, "LifecycleRule".
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rule {
    /// Its name, unique in the bucket.
    #[n(0)]
    pub id: String,
    /// Whether it does anything.
    #[n(1)]
    pub enabled: bool,
    /// Which objects it is about.
    #[n(2)]
    pub filter: Filter,
    /// When current versions go.
    #[n(3)]
    pub expiration: Option<Expiration>,
    /// When versions go that others have replaced.
    #[n(4)]
    pub noncurrent: Option<NoncurrentExpiration>,
    /// Days after its begin on which a multipart upload is aborted.
    #[n(5)]
    pub abort_uploads_days: Option<u32>,
}

/// When current versions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Expiration {
    /// So many days after they were written, at midnight.
    #[n(0)]
    Days(#[n(0)] u32),
    /// On this day and from then on, in milliseconds since the Unix epoch.
    #[n(1)]
    Date(#[n(0)] u64),
    /// Only delete markers that hide nothing any more.
    #[n(2)]
    LoneMarkers,
}

/// When versions go that others have replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NoncurrentExpiration {
    /// So many days after they were replaced, at midnight.
    #[n(0)]
    pub days: u32,
    /// So many of them are kept, the newest.
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
    /// When that was, in milliseconds since the Unix epoch.
    pub set_ms: u64,
}
