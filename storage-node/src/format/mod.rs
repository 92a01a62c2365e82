//! The on-disk format, byte by byte. `docs/on-disk-format.md` describes the same for people, and golden files check the
//! code. Integers are little-endian; ids have the same bytes as everywhere else.

mod bytes_at;
mod footer;
mod identity_block;
mod layout;
mod record_header;
mod tombstone;
mod volume_key;

pub use footer::{FOOTER_BYTES, FOOTER_MAGIC, Footer};
pub use identity_block::{BLOCK_BYTES, BlockError, BlockKind, DiskIdentity, IdentityBlock};
pub use layout::{FORMAT_VERSION, RECORD_ALIGN, VOLUME_DATA_START, align_up};
pub use record_header::{DESCRIPTOR_BYTES_MAX, HEADER_BYTES, HeaderError, Place, RecordHeader, RecordKind};
pub use tombstone::{TOMBSTONE_SHARDS_MAX, Tombstone};
pub use volume_key::VolumeKey;

#[cfg(test)]
mod golden;
