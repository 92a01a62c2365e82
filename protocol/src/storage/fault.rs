//! What can be wrong with a shard.

use minicbor::{Decode, Encode};

/// What a reader, a scrub or a rebuild found wrong with a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ShardReportKind {
    /// The disk works and does not hold the shard.
    #[n(0)]
    Missing,
    /// Its checksum does not match.
    #[n(1)]
    Corrupt,
}
