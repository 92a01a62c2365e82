//! Making a shard anew on the node that will hold it.

use cairn_core::cluster_map::Node;
use cairn_core::geometry::Geometry;
use cairn_core::id::{CommitSequence, DiskId, ProfileId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

use super::error::StorageError;
use super::fault::ShardReportKind;

/// An order to make a shard anew.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebuildOrder {
    /// The disk that will hold it.
    #[n(0)]
    pub disk: DiskId,
    /// The shard.
    #[n(1)]
    pub shard: ShardId,
    /// The profile of its extent.
    #[n(2)]
    pub profile: ProfileId,
    /// The shape of its extent.
    #[n(3)]
    pub geometry: Geometry,
    /// The commit that granted the rebuild: orders to delete the shard that are older do not mean this copy of it.
    #[n(4)]
    pub grant: CommitSequence,
    /// Where to read, the best first.
    #[n(5)]
    pub sources: Vec<RebuildSource>,
}

/// A shard to read from. If it is the wanted shard itself, it is copied.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RebuildSource {
    /// Its index in the extent.
    #[n(0)]
    pub index: u8,
    /// Its disk.
    #[n(1)]
    pub disk: DiskId,
    /// The disk's node.
    #[n(2)]
    pub node: Node,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RebuildReport {
    /// Nothing once the shard is on stable storage; else why it is not.
    #[n(0)]
    pub failure: Option<StorageError>,
    /// Sources that were found bad on the way, by their index.
    #[n(1)]
    pub bad: Vec<(u8, ShardReportKind)>,
    /// Bytes of cells that were read.
    #[n(2)]
    pub read_bytes: u64,
}
