//! Messages to a storage node over HTTP. `docs/wire-protocol.md` describes them.

use bytes::Bytes;
use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskId, ProfileId};
use cairn_core::shard::{ShardHeader, ShardId};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::storage::DeleteOrder;

/// Paths of the storage node's calls.
pub struct StoragePath;

impl StoragePath {
    /// [`PutShard`] in the message header, the shard's body as the body. The answer is empty.
    pub const PUT: &'static str = "/rpc/v1/storage/put-shard";
    /// [`PutShard`] in the message header. A success as the answer's head says that the space is reserved; only then does
    /// the caller send the shard's body. The answer's body is the outcome, a `Result` of nothing or the error.
    pub const OPEN: &'static str = "/rpc/v1/storage/open-shard";
    /// [`ReadCells`]. The answer is the cells, each followed by its checksum, as on disk.
    pub const READ: &'static str = "/rpc/v1/storage/read-cells";
    /// [`DeleteShards`]. The answer is empty.
    pub const DELETE: &'static str = "/rpc/v1/storage/delete-shards";
    /// [`Inventory`]. The answer is a [`ShardPage`].
    pub const INVENTORY: &'static str = "/rpc/v1/storage/inventory";
    /// [`EndDoubt`]. The answer is empty.
    pub const END_DOUBT: &'static str = "/rpc/v1/storage/end-doubt";
    /// [`StartScrub`]. The answer is empty.
    pub const SCRUB: &'static str = "/rpc/v1/storage/start-scrub";
    /// [`DescribeShard`]. The answer is a [`ShardDescription`].
    pub const DESCRIBE: &'static str = "/rpc/v1/storage/describe-shard";
    /// [`crate::storage::RebuildOrder`]. The answer is a [`crate::storage::RebuildReport`].
    pub const REBUILD: &'static str = "/rpc/v1/storage/rebuild-shard";
    /// [`StatusRequest`]. The answer is a [`crate::storage::NodeStatus`].
    pub const STATUS: &'static str = "/rpc/v1/storage/status";
}

/// Stores a shard whose body follows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PutShard {
    #[n(0)]
    pub disk: DiskId,
    #[n(1)]
    pub id: ShardId,
    #[n(2)]
    pub profile: ProfileId,
    #[n(3)]
    pub geometry: Geometry,
    /// Encoded.
    #[n(4)]
    pub descriptor: ByteVec,
}

impl PutShard {
    pub fn new(disk: DiskId, header: &ShardHeader) -> Self {
        Self {
            disk,
            id: header.id,
            profile: header.profile,
            geometry: header.geometry,
            descriptor: header.descriptor.to_vec().into(),
        }
    }

    pub fn into_header(self) -> ShardHeader {
        let descriptor = Bytes::from(Vec::from(self.descriptor));
        ShardHeader { id: self.id, profile: self.profile, geometry: self.geometry, descriptor }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReadCells {
    #[n(0)]
    pub disk: DiskId,
    #[n(1)]
    pub shard: ShardId,
    #[n(2)]
    pub geometry: Geometry,
    /// The first stripe.
    #[n(3)]
    pub start: u32,
    /// The stripe after the last.
    #[n(4)]
    pub end: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeleteShards {
    #[n(0)]
    pub disk: DiskId,
    #[n(1)]
    pub order: DeleteOrder,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inventory {
    #[n(0)]
    pub disk: DiskId,
    /// Exclusive.
    #[n(1)]
    pub after: Option<ShardId>,
    /// Page size limit.
    #[n(2)]
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShardPage {
    /// Ordered by id.
    #[n(0)]
    pub shards: Vec<ShardId>,
}

/// Says that a disk was compared with metadata.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndDoubt {
    #[n(0)]
    pub disk: DiskId,
    /// What the disk reported as its doubt before the comparison began.
    #[n(1)]
    pub doubt: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StartScrub {
    #[n(0)]
    pub disk: DiskId,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StatusRequest {}

/// Asks for a shard's header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DescribeShard {
    #[n(0)]
    pub disk: DiskId,
    #[n(1)]
    pub shard: ShardId,
}

/// A shard's header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ShardDescription {
    #[n(0)]
    pub id: ShardId,
    #[n(1)]
    pub profile: ProfileId,
    #[n(2)]
    pub geometry: Geometry,
    /// Encoded.
    #[n(3)]
    pub descriptor: ByteVec,
}

impl From<ShardHeader> for ShardDescription {
    fn from(header: ShardHeader) -> Self {
        let descriptor = header.descriptor.to_vec().into();
        Self { id: header.id, profile: header.profile, geometry: header.geometry, descriptor }
    }
}

impl From<ShardDescription> for ShardHeader {
    fn from(description: ShardDescription) -> Self {
        let descriptor = Bytes::from(Vec::from(description.descriptor));
        Self { id: description.id, profile: description.profile, geometry: description.geometry, descriptor }
    }
}
