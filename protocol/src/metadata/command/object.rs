//! Commands that change objects.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{CommitSequence, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::VersionId;
use minicbor::{Decode, Encode};

use crate::metadata::content::{PlacedRun, StoredChecksum};

/// A condition on the key's newest version, checked in the same transaction as the change (I19).
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Precondition {
    /// `If-Match`: the key exists with one of these tags. `*` is [`Precondition::must_exist`].
    #[n(0)]
    pub if_match: Vec<ETag>,
    /// `If-Match: *`.
    #[n(1)]
    pub must_exist: bool,
    /// `If-None-Match`: the key does not exist with one of these tags.
    #[n(2)]
    pub if_none_match: Vec<ETag>,
    /// `If-None-Match: *`: the key does not exist.
    #[n(3)]
    pub must_not_exist: bool,
}

impl Precondition {
    /// Whether the condition holds for the newest version's tag, or for a key without any version.
    pub fn holds(&self, current: Option<&ETag>) -> bool {
        let matched = |tags: &[ETag]| current.is_some_and(|tag| tags.contains(tag));
        (self.if_match.is_empty() || matched(&self.if_match))
            && (!self.must_exist || current.is_some())
            && !matched(&self.if_none_match)
            && !(self.must_not_exist && current.is_some())
    }

    /// Whether it names any `If-Match`: such a request on a key that does not exist is a 404, not a 412.
    pub fn requires_existence(&self) -> bool {
        self.must_exist || !self.if_match.is_empty()
    }
}

/// Makes a body that is durable on disk the newest version of a key. A repetition is answered as the first was, whatever
/// settings are in force by then.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CommitObject {
    /// The session that wrote the body.
    #[n(0)]
    pub session: SessionId,
    #[n(1)]
    pub bucket: BucketName,
    #[n(2)]
    pub key: ObjectKey,
    /// `None` for an empty object.
    #[n(3)]
    pub body: Option<PlacedRun>,
    #[n(4)]
    pub etag: ETag,
    /// To be returned with the object.
    #[n(5)]
    pub headers: Vec<Header>,
    /// Verified; `None` if the client sent none.
    #[n(6)]
    pub checksum: Option<StoredChecksum>,
    /// Checked against the key's newest version.
    #[n(7)]
    pub precondition: Precondition,
    #[n(8)]
    pub storage_class: StorageClass,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(9)]
    pub revision: Option<CommitSequence>,
}

/// The version that a commit made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ObjectCommitted {
    /// Its place in the order of all commits.
    #[n(0)]
    pub sequence: CommitSequence,
    /// In milliseconds since the Unix epoch.
    #[n(1)]
    pub last_modified_ms: u64,
    /// The commit that set the bucket's lifecycle rules; `None` if it has none.
    #[n(2)]
    pub lifecycle: Option<CommitSequence>,
    /// `None` if the bucket was never versioned.
    #[n(3)]
    pub version: Option<VersionId>,
}

/// Deletes a key, or one version of it. It is no error if that does not exist, unless the precondition requires it.
///
/// Without a version: in a bucket that was never versioned, the object is removed. In a versioned one, a delete marker
/// becomes the newest version; while versioning is suspended it replaces the null version. With a version: that version
/// is removed for good, and the one before it is the newest again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeleteObject {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    /// Checked against the key's newest version, or against the one that is named.
    #[n(2)]
    pub precondition: Precondition,
    /// The version to remove.
    #[n(3)]
    pub version: Option<VersionId>,
    /// The revision of the bucket's settings under which this was decided; `None` if it depends on none of them.
    #[n(4)]
    pub revision: Option<CommitSequence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ObjectDeleted {
    #[n(0)]
    pub existed: bool,
    /// The delete marker that was made, or the version that was removed. `None` if the bucket was never versioned.
    #[n(1)]
    pub version: Option<VersionId>,
    /// Whether `version` is a delete marker.
    #[n(2)]
    #[cbor(default)]
    pub is_marker: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preconditions_follow_rfc_9110() {
        let (a, b) = (ETag::single([1; 16]), ETag::single([2; 16]));
        let none = Precondition::default();
        let if_match = Precondition { if_match: vec![a], ..none.clone() };
        let if_none = Precondition { if_none_match: vec![a], ..none.clone() };
        let exists = Precondition { must_exist: true, ..none.clone() };
        let absent = Precondition { must_not_exist: true, ..none.clone() };
        for (condition, on_none, on_a, on_b) in [
            (none, true, true, true),
            (if_match, false, true, false),
            (if_none, true, false, true),
            (exists, false, true, true),
            (absent, true, false, false),
        ] {
            let got = (condition.holds(None), condition.holds(Some(&a)), condition.holds(Some(&b)));
            assert_eq!(got, (on_none, on_a, on_b), "{condition:?}");
        }
    }
}
