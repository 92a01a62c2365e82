//! Listing a bucket.

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

/// One page of a bucket's keys. Its cost follows the page and not the bucket: a delimiter skips whole subtrees.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListObjects {
    #[n(0)]
    pub bucket: BucketName,
    /// Only keys that start with this.
    #[n(1)]
    pub prefix: String,
    /// Keys that share their text up to this, after the prefix, are rolled into one common prefix; empty for none.
    #[n(2)]
    pub delimiter: String,
    /// Where to start.
    #[n(3)]
    pub position: ListPosition,
    /// Objects and common prefixes at most.
    #[n(4)]
    pub limit: u32,
}

/// A page of a listing. Objects and common prefixes are each in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ObjectPage {
    #[n(0)]
    pub objects: Vec<ListedObject>,
    /// The common prefixes, delimiter included.
    #[n(1)]
    pub common_prefixes: Vec<String>,
    /// Where to go on, if there is more.
    #[n(2)]
    pub next: Option<ListPosition>,
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
    /// After this version of this key. By [`VersionId::Commit`] it is a place, whether or not there is such a version; after a
    /// null version that is not there any more, the key is listed from its newest version on.
    #[n(2)]
    AfterVersion(#[n(0)] String, #[n(1)] VersionId),
    /// After every key that starts with this common prefix.
    #[n(3)]
    AfterPrefix(#[n(0)] String),
}

/// One page of a bucket's versions and delete markers: key by key, the newest first. Its cost follows the page.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListVersions {
    #[n(0)]
    pub bucket: BucketName,
    /// Only keys that start with this.
    #[n(1)]
    pub prefix: String,
    /// As in [`ListObjects`].
    #[n(2)]
    pub delimiter: String,
    /// Where to start.
    #[n(3)]
    pub position: VersionPosition,
    /// Versions and common prefixes at most.
    #[n(4)]
    pub limit: u32,
}

/// A page of a listing of versions. Versions and common prefixes are each in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct VersionPage {
    #[n(0)]
    pub versions: Vec<ListedVersion>,
    /// The common prefixes, delimiter included.
    #[n(1)]
    pub common_prefixes: Vec<String>,
    /// Where to go on, if there is more.
    #[n(2)]
    pub next: Option<VersionPosition>,
}
