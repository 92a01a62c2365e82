//! Listing a bucket.

use cairn_core::id::CommitSequence;
use cairn_core::name::BucketName;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

use crate::metadata::content::{ListedObject, ListedVersion};

/// Where a listing starts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ListPosition {
    /// At the first key of the prefix.
    #[n(0)]
    Start,
    /// After this key.
    #[n(1)]
    After(#[n(0)] String),
    /// After every key that starts with this common prefix.
    #[n(2)]
    AfterPrefix(#[n(0)] String),
}

/// One page of a bucket's keys. The cost depends on the page and not on the bucket: a delimiter skips whole subtrees.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListObjects {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub prefix: String,
    /// Keys that agree up to the first occurrence of this after the prefix are listed as one common prefix. Empty for
    /// no delimiter.
    #[n(2)]
    pub delimiter: String,
    #[n(3)]
    pub position: ListPosition,
    /// Page size limit: objects and common prefixes.
    #[n(4)]
    pub limit: u32,
}

/// Objects and common prefixes are each in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ObjectPage {
    #[n(0)]
    pub objects: Vec<ListedObject>,
    /// Including the delimiter.
    #[n(1)]
    pub common_prefixes: Vec<String>,
    /// Where the next page starts, if there is one.
    #[n(2)]
    pub next: Option<ListPosition>,
    /// The revision of the bucket's settings: see `BucketRecord`.
    #[n(3)]
    pub revision: CommitSequence,
}

/// Where a listing of versions starts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum VersionPosition {
    /// At the newest version of the first key of the prefix.
    #[n(0)]
    Start,
    /// After all versions of this key.
    #[n(1)]
    After(#[n(0)] String),
    /// After this version of this key. [`VersionId::Commit`] is a position, whether or not that version exists. After a
    /// null version that no longer exists, the key is listed from its newest version on.
    #[n(2)]
    AfterVersion(#[n(0)] String, #[n(1)] VersionId),
    /// After every key that starts with this common prefix.
    #[n(3)]
    AfterPrefix(#[n(0)] String),
}

/// One page of a bucket's versions and delete markers: key by key, newest first. The cost depends on the page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListVersions {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub prefix: String,
    /// As in [`ListObjects`].
    #[n(2)]
    pub delimiter: String,
    #[n(3)]
    pub position: VersionPosition,
    /// Page size limit: versions and common prefixes.
    #[n(4)]
    pub limit: u32,
}

/// Versions and common prefixes are each in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct VersionPage {
    #[n(0)]
    pub versions: Vec<ListedVersion>,
    /// Including the delimiter.
    #[n(1)]
    pub common_prefixes: Vec<String>,
    /// Where the next page starts, if there is one.
    #[n(2)]
    pub next: Option<VersionPosition>,
    /// The revision of the bucket's settings: see `BucketRecord`.
    #[n(3)]
    pub revision: CommitSequence,
}
