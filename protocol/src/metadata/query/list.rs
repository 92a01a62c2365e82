//! Listing a bucket.

use cairn_core::name::BucketName;
use minicbor::{Decode, Encode};

use crate::metadata::content::ListedObject;

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
    /// The bucket.
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
    /// The objects.
    #[n(0)]
    pub objects: Vec<ListedObject>,
    /// The common prefixes, delimiter included.
    #[n(1)]
    pub common_prefixes: Vec<String>,
    /// Where to go on, if there is more.
    #[n(2)]
    pub next: Option<ListPosition>,
}
