//! Commands that compare a restored service with the disks: what was written after its backup comes back from the
//! descriptors of the shards (I16). All are refused where no restored service is being reconciled.

use cairn_core::descriptor::Header;
use cairn_core::etag::ETag;
use cairn_core::id::{DiskNumber, PartNumber};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use minicbor::{Decode, Encode};

use crate::metadata::content::PlacedRun;
use crate::metadata::query::{Finding, ReconcileTotals};

/// Makes a body that lies on the disks as a whole, and that the service knows nothing of, a version of its key. The
/// bucket is made where it is missing. Everything that is adopted is listed (see [`Finding`]).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AdoptObject {
    /// The bucket.
    #[n(0)]
    pub bucket: BucketName,
    /// The key.
    #[n(1)]
    pub key: ObjectKey,
    /// The body.
    #[n(2)]
    pub body: AdoptedBody,
    /// Entity tag, computed from the bytes.
    #[n(3)]
    pub etag: ETag,
    /// System and user headers.
    #[n(4)]
    pub headers: Vec<Header>,
    /// When the write began, in milliseconds since the Unix epoch, by the clock of the gateway.
    #[n(5)]
    pub written_ms: u64,
    /// Whether the key's present content cannot be read any more: then this one replaces it whatever the clocks said.
    #[n(6)]
    pub replaces_unreadable: bool,
    /// Storage class.
    #[n(7)]
    pub storage_class: StorageClass,
}

/// What lies on the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AdoptedBody {
    /// One run of extents.
    #[n(0)]
    Run(#[n(0)] PlacedRun),
    /// The parts of a multipart upload, by number.
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

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.runs().map(|placed| placed.run.size).sum()
    }
}

/// A part as it lies on the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AdoptedPart {
    /// Its number.
    #[n(0)]
    pub number: PartNumber,
    /// MD5 of its bytes.
    #[n(1)]
    pub etag: ETag,
    /// Its extents.
    #[n(2)]
    pub body: PlacedRun,
}

/// What came of an adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Adoption {
    /// It is the newest version of its key now.
    #[n(0)]
    Adopted,
    /// It was known already.
    #[n(1)]
    Known,
    /// The key holds something that is newer; nothing was changed.
    #[n(2)]
    Superseded,
}

/// Records what a reconciliation found and did not adopt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecordFindings {
    /// The findings.
    #[n(0)]
    pub findings: Vec<Finding>,
    /// Whether a comparison begins: what earlier ones left open is forgotten, because it is found again.
    #[n(1)]
    pub begins: bool,
}

/// Ends a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndReconciliation {
    /// What it came to.
    #[n(0)]
    pub totals: ReconcileTotals,
    /// Whether everything was proven, so that deletions may go on by themselves, on the disks below this number. Nothing
    /// where that is for the operator to say.
    #[n(1)]
    pub release_below: Option<DiskNumber>,
}
