//! The settings of a bucket: one record with a revision, and documents beside it.
//!
//! Every change of any setting gives the bucket a new revision. Commands name the revision under which they were decided, and
//! are refused if another one is in force, so that a setting never races with a commit.

mod lifecycle;

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::version::Versioning;
use minicbor::{Decode, Encode};

pub use lifecycle::{lifecycle_document, read_lifecycle};

/// Bytes of one document.
pub const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// A bucket's record: its small settings, and which documents it has.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BucketRecord {
    /// Never used again, also not for a bucket of the same name.
    #[n(0)]
    pub id: BucketId,
    /// The commit that last changed a setting; the one that created the bucket if none did. So it rises with every change,
    /// and no two buckets ever have the same.
    #[n(1)]
    pub revision: CommitSequence,
    /// In milliseconds since the Unix epoch.
    #[n(2)]
    pub created_ms: u64,
    /// As its creator named it.
    #[n(3)]
    pub region: String,
    #[n(4)]
    pub versioning: Versioning,
    /// One for each document, in the order of their kinds.
    #[n(5)]
    pub documents: Vec<DocumentStamp>,
}

impl BucketRecord {
    /// The commit that set the document of this kind; `None` if there is none.
    pub fn document(&self, kind: SettingKind) -> Option<CommitSequence> {
        stamp_of(&self.documents, kind)
    }
}

/// The commit that set the document of this kind, among the stamps of a record.
pub fn stamp_of(stamps: &[DocumentStamp], kind: SettingKind) -> Option<CommitSequence> {
    stamps.iter().find(|stamp| stamp.kind == kind).map(|stamp| stamp.revision)
}

/// When a document was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct DocumentStamp {
    #[n(0)]
    pub kind: SettingKind,
    /// The commit that set it.
    #[n(1)]
    pub revision: CommitSequence,
}

/// What a document is about. The numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SettingKind(#[n(0)] pub u8);

impl SettingKind {
    /// Lifecycle rules: see [`lifecycle_document`].
    pub const LIFECYCLE: Self = Self(1);
}

/// A setting that is too large for the record, in a format of its kind. The metadata service keeps it unread, except for
/// the kinds that its own jobs go by.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SettingDocument {
    /// Version of the format of `bytes`, counted for each kind from 1.
    #[n(0)]
    pub format: u16,
    /// At most [`DOCUMENT_BYTES_MAX`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// A document that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A newer release wrote it.
    #[error("the document has format version {found}, this release reads up to {known}: upgrade this process")]
    Newer {
        /// Its version.
        found: u16,
        /// The newest version that is known here.
        known: u16,
    },
    /// It is not what its format says.
    #[error("the document is damaged: {0}")]
    Damaged(String),
}
