//! Rebuilding a shard on the node that will hold it.

use cairn_core::cluster_map::Node;
use cairn_core::geometry::Geometry;
use cairn_core::id::{CommitSequence, DiskId, ProfileId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use super::error::StorageError;
use super::fault::ShardReportKind;

/// An order to rebuild a shard.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebuildOrder {
    #[n(0)]
    pub disk: DiskId,
    #[n(1)]
    pub shard: ShardId,
    #[n(2)]
    pub profile: ProfileId,
    #[n(3)]
    pub geometry: Geometry,
    /// The commit that granted the rebuild. Older orders to delete the shard do not apply to this copy.
    #[n(4)]
    pub grant: CommitSequence,
    /// Best first.
    #[n(5)]
    pub sources: Vec<RebuildSource>,
}

/// A shard to read from. The wanted shard itself is copied.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RebuildSource {
    #[n(0)]
    pub index: u8,
    #[n(1)]
    pub disk: DiskId,
    #[n(2)]
    pub node: Node,
}

/// The result of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebuildReport {
    /// `None` once the shard is on stable storage.
    #[n(0)]
    pub failure: Option<StorageError>,
    /// Sources that turned out to be bad, by shard index.
    #[n(1)]
    pub bad: Vec<(u8, ShardReportKind)>,
    #[n(2)]
    pub read_bytes: u64,
}
