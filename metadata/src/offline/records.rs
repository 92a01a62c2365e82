//! What an offline reader hands out.

use std::collections::HashSet;

use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskNumber, ExtentId, SessionId};
use cairn_core::shard::{Locations, ShardId};
use cairn_protocol::metadata::ExtentRun;

/// An extent as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedExtent {
    /// The extent.
    pub id: ExtentId,
    /// Its shape.
    pub geometry: Geometry,
    /// A disk for each shard.
    pub locations: Locations,
    /// Shards that were reported bad, or not written, and wait for repair.
    pub reported: Vec<u8>,
}

/// An object as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedObject {
    /// The bucket's name.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// Where they are.
    pub runs: Vec<ExtentRun>,
}

/// Why metadata lets a shard be that no extent's row has where it lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excused {
    /// Copies that were left behind when their shards moved, and that are to be deleted.
    pub left_behind: HashSet<(ShardId, DiskNumber)>,
    /// Shards that are being made anew.
    pub rebuilding: HashSet<(ShardId, DiskNumber)>,
    /// Sessions whose writes are under way.
    pub open_sessions: HashSet<SessionId>,
    /// The last session that was given out.
    pub last_session: SessionId,
}
