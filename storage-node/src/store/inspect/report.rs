//! The results of an inspection.

use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, ProfileId};
use cairn_core::shard::ShardId;

use crate::format::RecordHeader;

/// A disk, as its own bytes describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    pub cluster: ClusterId,
    pub disk: DiskId,
    /// When it was formatted, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Ordered by number.
    pub volumes: Vec<VolumeReport>,
    /// The live shards, in the order of their places.
    pub shards: Vec<ShardReport>,
    /// Whether every checksum was verified.
    pub verified: bool,
    pub problems: Vec<Problem>,
}

/// A volume. Every volume is sealed as soon as no process uses the disk: each start begins a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VolumeReport {
    pub number: u32,
    /// Bytes from its beginning to its end.
    pub file_bytes: u64,
    /// Bytes that it occupies, as the filesystem counts them.
    pub allocated_bytes: u64,
    /// Records of shards, live or not.
    pub shard_records: u64,
    pub tombstones: u64,
    /// Shards whose write never ended.
    pub unfinished: u64,
    /// Shards whose live record is in this volume.
    pub live_shards: u64,
    /// Bytes of the live records.
    pub live_bytes: u64,
    /// Bytes of the records of shards that were deleted or written again, without holes.
    pub dead_bytes: u64,
}

/// A live shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardReport {
    pub shard: ShardId,
    pub profile: ProfileId,
    /// The shape of the shard's extent.
    pub geometry: Geometry,
    pub volume: u32,
    /// Where its record begins in the volume, in bytes.
    pub offset: u64,
    /// Bytes of header and descriptor.
    pub head_bytes: u64,
    /// Bytes of its cells with their checksums.
    pub body_bytes: u64,
    /// Bytes from the beginning of the header to the end of the footer.
    pub written_bytes: u64,
}

impl ShardReport {
    pub(crate) fn of(header: &RecordHeader) -> Self {
        Self {
            shard: header.shard,
            profile: header.profile,
            geometry: header.geometry,
            volume: header.place.volume,
            offset: header.place.offset,
            head_bytes: header.body_start(),
            body_bytes: header.body_bytes(),
            written_bytes: header.footer_start() + crate::format::FOOTER_BYTES as u64,
        }
    }
}

/// Something that is wrong with a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The volume; 0 for the superblock.
    pub volume: u32,
    /// Where in the volume, in bytes.
    pub offset: u64,
    /// `None` if it cannot be read which shard it is.
    pub shard: Option<ShardId>,
    /// What is wrong, for people.
    pub what: String,
}
