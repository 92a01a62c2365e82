//! Why a read failed.

use cairn_core::codec::CodecError;
use cairn_core::id::ExtentId;
use cairn_protocol::metadata::MetadataError;

use crate::data::budget::BudgetError;

/// Why bytes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Fewer than `needed` shards of an extent give usable bytes; `detail` says what is wrong with which. Nothing is
    /// deleted because of that: it reads again when the disks are back (I8).
    #[error("extent {extent}: {detail}; {needed} shards are needed")]
    Lost { extent: ExtentId, detail: String, needed: u8 },
    #[error("cannot locate extents: {0}")]
    Metadata(#[from] MetadataError),
    /// The object's extents end before its size: `offset` is the first byte without one.
    #[error("metadata has no extent for byte {offset} of the object")]
    Gap { offset: u64 },
    #[error("the gateway has not seen a cluster map yet")]
    NoClusterMap,
    #[error(transparent)]
    Budget(#[from] BudgetError),
    #[error(transparent)]
    Codec(#[from] CodecError),
}
