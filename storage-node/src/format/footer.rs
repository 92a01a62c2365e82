//! The footer of a record: everything before it was written.

use cairn_core::cell::CellChecksum;

use super::bytes_at::{array_at, put};
use super::volume_key::VolumeKey;

/// Bytes of a footer.
pub const FOOTER_BYTES: usize = 80;
/// How a footer begins.
pub const FOOTER_MAGIC: &[u8; 8] = b"CAIRNEND";

/// Collects the checksums of cells, and makes a footer of them.
#[derive(Debug, Clone, Default)]
pub struct Footer {
    cells: blake3::Hasher,
}

impl Footer {
    /// A footer without cells.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next cell.
    pub fn add(&mut self, checksum: &CellChecksum) {
        self.cells.update(&checksum.0);
    }

    /// The bytes on disk, given the checksum of the record's header.
    pub fn encode(&self, key: &VolumeKey, header_checksum: &[u8; 32]) -> [u8; FOOTER_BYTES] {
        let mut footer = [0; FOOTER_BYTES];
        let cells = *self.cells.finalize().as_bytes();
        put(&mut footer, 0, FOOTER_MAGIC);
        put(&mut footer, 16, &cells);
        put(&mut footer, 48, &key.checksum([header_checksum, &cells]));
        footer
    }

    /// Whether `footer` ends the record with this header. It says nothing about the cells.
    pub fn ends(key: &VolumeKey, header_checksum: &[u8; 32], footer: &[u8]) -> bool {
        let (Some(cells), Some(stored)) = (array_at::<32>(footer, 16), array_at::<32>(footer, 48)) else {
            return false;
        };
        footer.get(..8) == Some(FOOTER_MAGIC.as_slice()) && key.checksum([header_checksum, &cells]) == stored
    }
}
