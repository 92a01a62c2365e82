//! The header of a record: which shard or deletions it has, how long it is, and where it belongs.

use bytes::Bytes;
use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, ExtentId, ProfileId};
use cairn_core::shard::{ShardHeader, ShardId, body_bytes};

use super::bytes_at::{array_at, put, u16_at, u32_at, u64_at};
use super::footer::FOOTER_BYTES;
use super::identity_block::DiskIdentity;
use super::layout::{FORMAT_VERSION, VOLUME_DATA_START, align_up};
use super::volume_key::VolumeKey;

/// Bytes of the fixed part of a record header; the descriptor follows.
pub const HEADER_BYTES: usize = 160;
/// Longest descriptor, in bytes: a key, two kilobytes of user metadata and room for the system headers.
pub const DESCRIPTOR_BYTES_MAX: usize = 64 << 10;
const MAGIC: &[u8; 8] = b"CAIRNREC";
/// The checksum covers everything before it, and the descriptor.
const CHECKSUM_AT: usize = 128;

/// A position in a disk's log. Positions order everything that ever happened to a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub volume: u32,
    /// In bytes, from the beginning of the volume.
    pub offset: u64,
}

/// Where the first record would be, before there is any volume.
impl Default for Place {
    fn default() -> Self {
        Self { volume: 0, offset: VOLUME_DATA_START }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "volume {} offset {}", self.volume, self.offset)
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    Shard,
    /// Deletions; the descriptor lists them.
    Tombstone,
}

/// Why bytes are not a record header of this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// They do not begin like a record.
    #[error("there is no record")]
    Magic,
    /// They begin like a record and do not verify, or contradict themselves.
    #[error("the record header is damaged")]
    Damaged,
    /// A record of another place, disk or cluster.
    #[error("the record belongs elsewhere")]
    Misplaced,
}

/// The fixed part of a record header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    pub kind: RecordKind,
    /// Zero for a tombstone, like profile and geometry.
    pub shard: ShardId,
    pub profile: ProfileId,
    pub geometry: Geometry,
    pub descriptor_bytes: u32,
    pub place: Place,
}

impl RecordHeader {
    /// The header of a shard at `place`.
    pub fn of_shard(shard: &ShardHeader, place: Place) -> Self {
        Self {
            kind: RecordKind::Shard,
            shard: shard.id,
            profile: shard.profile,
            geometry: shard.geometry,
            descriptor_bytes: shard.descriptor.len() as u32,
            place,
        }
    }

    /// The header of a tombstone at `place` whose list of deletions has `descriptor_bytes`.
    pub fn of_tombstone(descriptor_bytes: u32, place: Place) -> Self {
        let zero = ExtentId::from_bytes([0; 16]);
        Self {
            kind: RecordKind::Tombstone,
            shard: ShardId { extent: zero, index: 0 },
            profile: ProfileId(0),
            geometry: Geometry { data_shards: 0, parity_shards: 0, cell_bytes: 0, length: 0 },
            descriptor_bytes,
            place,
        }
    }

    /// Bytes of the cells and their checksums.
    pub fn body_bytes(&self) -> u64 {
        match self.kind {
            RecordKind::Shard => body_bytes(&self.geometry),
            RecordKind::Tombstone => 0,
        }
    }

    /// Where the body begins, in bytes from the start of the record.
    pub const fn body_start(&self) -> u64 {
        HEADER_BYTES as u64 + self.descriptor_bytes as u64
    }

    /// Where the footer begins, in bytes from the start of the record.
    pub fn footer_start(&self) -> u64 {
        self.body_start() + self.body_bytes()
    }

    /// Bytes of the whole record, up to where the next one may begin.
    pub fn record_bytes(&self) -> u64 {
        align_up(self.footer_start() + FOOTER_BYTES as u64)
    }

    /// Appends the header and the descriptor to `out` and returns the header's checksum. Everything in the volume before
    /// `synced_before` is settled.
    pub fn encode(
        &self,
        identity: &DiskIdentity,
        key: &VolumeKey,
        synced_before: u64,
        descriptor: &[u8],
        out: &mut Vec<u8>,
    ) -> [u8; 32] {
        let mut fixed = [0; HEADER_BYTES];
        put(&mut fixed, 0, MAGIC);
        put(&mut fixed, 8, &FORMAT_VERSION.to_le_bytes());
        fixed[10] = match self.kind {
            RecordKind::Shard => 1,
            RecordKind::Tombstone => 2,
        };
        fixed[11] = self.shard.index;
        put(&mut fixed, 12, &self.descriptor_bytes.to_le_bytes());
        put(&mut fixed, 16, &identity.cluster.to_bytes());
        put(&mut fixed, 32, &identity.disk.to_bytes());
        put(&mut fixed, 48, &self.shard.extent.to_bytes());
        put(&mut fixed, 64, &self.profile.0.to_le_bytes());
        fixed[66] = self.geometry.data_shards;
        fixed[67] = self.geometry.parity_shards;
        put(&mut fixed, 68, &self.geometry.cell_bytes.to_le_bytes());
        put(&mut fixed, 72, &self.geometry.length.to_le_bytes());
        put(&mut fixed, 80, &self.body_bytes().to_le_bytes());
        put(&mut fixed, 88, &self.place.volume.to_le_bytes());
        put(&mut fixed, 96, &self.place.offset.to_le_bytes());
        put(&mut fixed, 104, &synced_before.to_le_bytes());
        let checksum = key.checksum([&fixed[..CHECKSUM_AT], descriptor]);
        put(&mut fixed, CHECKSUM_AT, &checksum);
        out.extend_from_slice(&fixed);
        out.extend_from_slice(descriptor);
        checksum
    }

    /// Reads the fixed part and checks everything but the checksum, which also covers the descriptor: see
    /// [`RecordHeader::verify`].
    pub fn decode(identity: &DiskIdentity, place: Place, fixed: &[u8]) -> Result<Self, HeaderError> {
        if fixed.get(..8) != Some(MAGIC.as_slice()) {
            return Err(HeaderError::Magic);
        }
        let header = Self::fields(fixed).ok_or(HeaderError::Damaged)?;
        let cluster = array_at(fixed, 16).map(ClusterId::from_bytes);
        let disk = array_at(fixed, 32).map(DiskId::from_bytes);
        if header.place != place || cluster != Some(identity.cluster) || disk != Some(identity.disk) {
            return Err(HeaderError::Misplaced);
        }
        Ok(header)
    }

    /// The offset before which everything in the volume was settled when the header was written; zero if that is not known.
    /// For a header that verifies.
    pub fn synced_before(fixed: &[u8]) -> u64 {
        u64_at(fixed, 104).unwrap_or_default()
    }

    fn fields(fixed: &[u8]) -> Option<Self> {
        let kind = match (u16_at(fixed, 8)?, fixed.get(10)?) {
            (FORMAT_VERSION, 1) => RecordKind::Shard,
            (FORMAT_VERSION, 2) => RecordKind::Tombstone,
            _ => return None,
        };
        let header = Self {
            kind,
            shard: ShardId { extent: ExtentId::from_bytes(array_at(fixed, 48)?), index: *fixed.get(11)? },
            profile: ProfileId(u16_at(fixed, 64)?),
            geometry: Geometry {
                data_shards: *fixed.get(66)?,
                parity_shards: *fixed.get(67)?,
                cell_bytes: u32_at(fixed, 68)?,
                length: u64_at(fixed, 72)?,
            },
            descriptor_bytes: u32_at(fixed, 12)?,
            place: Place { volume: u32_at(fixed, 88)?, offset: u64_at(fixed, 96)? },
        };
        let sane = header.descriptor_bytes as usize <= DESCRIPTOR_BYTES_MAX
            && (kind == RecordKind::Tombstone || shape_is_sane(&header))
            && u64_at(fixed, 80)? == header.body_bytes();
        sane.then_some(header)
    }

    /// Checks the checksum over the fixed part and the descriptor; returns it, because the footer repeats it.
    pub fn verify(&self, key: &VolumeKey, record: &[u8]) -> Result<[u8; 32], HeaderError> {
        let (fixed, stored) = (record.get(..CHECKSUM_AT), array_at(record, CHECKSUM_AT));
        let descriptor = record.get(HEADER_BYTES..self.body_start() as usize);
        let (Some(fixed), Some(stored), Some(descriptor)) = (fixed, stored, descriptor) else {
            return Err(HeaderError::Damaged);
        };
        if key.checksum([fixed, descriptor]) == stored { Ok(stored) } else { Err(HeaderError::Damaged) }
    }

    pub fn into_shard(self, descriptor: Bytes) -> ShardHeader {
        ShardHeader { id: self.shard, profile: self.profile, geometry: self.geometry, descriptor }
    }
}

/// Whether lengths can be computed from the geometry, and the shard is one of the extent's.
fn shape_is_sane(header: &RecordHeader) -> bool {
    let geometry = &header.geometry;
    geometry.check().is_ok()
        && geometry.length <= cairn_core::limits::EXTENT_BYTES_MAX
        && header.shard.index < geometry.total_shards()
}
