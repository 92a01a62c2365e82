//! Commands for comparing a restored service with the disks: what was written after the backup comes back from the
//! shards' descriptors (I16). All are refused unless the service was restored and the comparison is running.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{DiskNumber, PartNumber};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

use crate::metadata::content::PlacedRun;
use crate::metadata::query::{Finding, ReconcileTotals};

/// Makes a body that is complete on the disks, but unknown to the service, a version of its key. Creates the bucket if
/// it is missing. Everything that is adopted is listed (see [`Finding`]).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AdoptObject {
    #[n(0)]
    pub bucket: BucketName,
    #[n(1)]
    pub key: ObjectKey,
    #[n(2)]
    pub body: AdoptedBody,
    /// Computed from the bytes.
    #[n(3)]
    pub etag: ETag,
    #[n(4)]
    pub headers: Vec<Header>,
    /// When the write began by the gateway's clock, in milliseconds since the Unix epoch.
    #[n(5)]
    pub written_ms: u64,
    /// Whether the key's present content is unreadable. Then this body replaces it, whichever is newer by the clocks.
    #[n(6)]
    pub replaces_unreadable: bool,
    #[n(7)]
    pub storage_class: StorageClass,
}

/// Where the bytes of an adopted object are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AdoptedBody {
    /// One run of extents.
    #[n(0)]
    Run(#[n(0)] PlacedRun),
    /// The parts of a multipart upload, in the order of their numbers.
    #[n(1)]
    Parts(#[n(0)] cairn_core::id::UploadId, #[n(1)] Vec<AdoptedPart>),
}

impl AdoptedBody {
    /// The runs of extents, in the order of the object's bytes.
    pub fn runs(&self) -> impl Iterator<Item = &PlacedRun> {
        let (run, parts) = match self {
            Self::Run(run) => (Some(run), &[][..]),
            Self::Parts(_, parts) => (None, parts.as_slice()),
        };
        run.into_iter().chain(parts.iter().map(|part| &part.body))
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.runs().map(|placed| placed.run.size).sum()
    }
}

/// A part that is complete on the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AdoptedPart {
    #[n(0)]
    pub number: PartNumber,
    /// The MD5 of its bytes.
    #[n(1)]
    pub etag: ETag,
    #[n(2)]
    pub body: PlacedRun,
}

/// The result of an adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Adoption {
    /// It is now the newest version of its key.
    #[n(0)]
    Adopted,
    /// It was known before.
    #[n(1)]
    Known,
    /// The key holds something newer; nothing was changed.
    #[n(2)]
    Superseded,
}

/// Records what a comparison found and did not adopt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecordFindings {
    #[n(0)]
    pub findings: Vec<Finding>,
    /// Whether the comparison has just begun. Then findings that earlier ones left open are dropped; this one finds
    /// them again.
    #[n(1)]
    pub begins: bool,
}

/// Ends a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndReconciliation {
    #[n(0)]
    pub totals: ReconcileTotals,
    /// Everything on the disks below this number was proven, so deletions resume there. `None` if the operator has to
    /// resume them.
    #[n(1)]
    pub release_below: Option<DiskNumber>,
}
