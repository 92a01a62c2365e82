//! Why a write failed.

use cairn_core::codec::CodecError;
use cairn_core::id::ExtentId;
use cairn_core::placement::PlacementError;

use crate::data::budget::BudgetError;
use crate::data::session::NoSession;

/// Why a body could not be written. In every case nothing was committed and what had been stored is discarded.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    #[error("the body could not be read")]
    Body(E),
    /// The body ended before the announced length, in bytes.
    #[error("the body ended after {received} of {expected} bytes")]
    Short { received: u64, expected: u64 },
    /// The body goes on past the announced length, in bytes.
    #[error("the body is longer than the announced {expected} bytes")]
    Long { expected: u64 },
    #[error(transparent)]
    NoSession(#[from] NoSession),
    #[error("the gateway has not seen a cluster map yet")]
    NoClusterMap,
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The eligible disks cannot hold the shards under any profile.
    #[error("no place for an extent: {0}")]
    Placement(#[from] PlacementError),
    /// Fewer than `quorum` shards became durable; `detail` says what happened at the disks that failed.
    #[error("extent {extent}: the write quorum of {quorum} shards was not reached: {detail}")]
    Quorum { extent: ExtentId, quorum: u8, detail: String },
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error("the digest thread ended unexpectedly")]
    DigestThread,
}
