//! What can be wrong with a stored shard.

use minicbor::{Decode, Encode};

/// What is wrong with a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ShardReportKind {
    /// The disk works and does not hold it.
    #[n(0)]
    Missing,
    /// Its bytes do not verify.
    #[n(1)]
    Corrupt,
}
