//! What stands on a disk, byte by byte. `docs/on-disk-format.md` describes the same for people; golden files hold both
//! to their word. Integers are little-endian, ids are the bytes that they are everywhere else.

mod bytes_at;
mod footer;
mod identity_block;
mod record_header;
mod tombstone;
mod volume_key;

pub use footer::{FOOTER_BYTES, FOOTER_MAGIC, Footer};
pub use identity_block::{BLOCK_BYTES, BlockError, BlockKind, DiskIdentity, IdentityBlock};
pub use record_header::{DESCRIPTOR_BYTES_MAX, HEADER_BYTES, HeaderError, Place, RecordHeader, RecordKind};
pub use tombstone::{TOMBSTONE_SHARDS_MAX, Tombstone};
pub use volume_key::VolumeKey;

/// The only format version there is. A disk or volume of a later one is refused (I30).
pub const FORMAT_VERSION: u16 = 1;
/// Records begin at multiples of this many bytes, which a disk writes as a whole.
pub const RECORD_ALIGN: u64 = 512;
/// Where the first record of a volume begins, in bytes: the header has a block of the filesystem for itself.
pub const VOLUME_DATA_START: u64 = 4096;

/// `bytes` rounded up to where the next record may begin.
pub const fn align_up(bytes: u64) -> u64 {
    bytes.div_ceil(RECORD_ALIGN) * RECORD_ALIGN
}

#[cfg(test)]
mod golden;
