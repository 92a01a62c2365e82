//! Where an object lies.

use serde::{Deserialize, Serialize};

use super::disk::DiskState;
use super::named::named;

/// The answer to `GET /v1/placement/{bucket}/{key}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Bytes of the object.
    pub size: u64,
    /// Its storage class, such as `STANDARD`.
    #[serde(default)]
    pub storage_class: String,
    /// Its extents, in order.
    pub extents: Vec<PlacedExtent>,
}

/// An extent and its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedExtent {
    /// The extent.
    pub id: String,
    /// Offset of its first byte in the object.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Its shape, such as `4+2`.
    pub profile: String,
    /// How often one of its shards has moved.
    pub generation: u32,
    /// Its shards.
    pub shards: Vec<PlacedShard>,
}

/// A shard and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedShard {
    /// Its index.
    pub shard: u8,
    /// `data` or `parity`.
    pub holds: ShardHolds,
    /// Its disk; null if it has none and waits for repair.
    pub disk: Option<u64>,
    /// The disk's node.
    pub node: Option<String>,
    /// The node's rack.
    pub rack: Option<String>,
    /// The node's zone.
    pub zone: Option<String>,
    /// The disk's state; `nowhere` if it has none.
    pub state: DiskState,
}

named! {
    /// What a shard holds.
    pub enum ShardHolds {
        Data = "data",
        Parity = "parity",
    }
}
