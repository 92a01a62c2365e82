//! What an offline reader hands out.

use std::collections::HashSet;

use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskNumber, ExtentId, SessionId};
use cairn_core::shard::{Locations, ShardId};
use cairn_protocol::metadata::ExtentRun;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedExtent {
    pub id: ExtentId,
    pub geometry: Geometry,
    /// A disk for each shard.
    pub locations: Locations,
    /// Shards that were reported bad or not written, and wait for repair.
    pub reported: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedObject {
    pub bucket: String,
    pub key: String,
    pub size: u64,
    pub runs: Vec<ExtentRun>,
}

/// Why shards may be on disks where no extent's row locates them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excused {
    /// Copies left behind when their shards moved; they will be deleted.
    pub left_behind: HashSet<(ShardId, DiskNumber)>,
    /// Shards that are being rebuilt.
    pub rebuilding: HashSet<(ShardId, DiskNumber)>,
    pub open_sessions: HashSet<SessionId>,
    /// The last session issued.
    pub last_session: SessionId,
}
