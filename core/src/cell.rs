//! Cells and their checksums.

use bytes::Bytes;

use crate::id::ExtentId;

/// Bytes of a cell checksum.
pub const CHECKSUM_BYTES: usize = 32;

/// BLAKE3 of a cell's bytes and of the place where they belong.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellChecksum(pub [u8; CHECKSUM_BYTES]);

impl std::fmt::Debug for CellChecksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Where a cell belongs. Part of its checksum, so that a misdirected write or read never verifies (I5, I12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellAddress {
    /// The extent.
    pub extent: ExtentId,
    /// The shard's index in the extent.
    pub shard: u8,
    /// The cell's index in the shard, which is its stripe.
    pub stripe: u32,
}

/// One stripe's bytes on one shard, with the checksum that travels with them from the gateway to the disk and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The bytes.
    pub data: Bytes,
    /// Their checksum.
    pub checksum: CellChecksum,
}

impl Cell {
    /// Computes the checksum of `data` at `address`.
    pub fn new(data: Bytes, address: CellAddress) -> Self {
        let checksum = checksum(&data, address);
        Self { data, checksum }
    }

    /// Whether the bytes are the written ones, at the place for which they were written.
    pub fn verify(&self, address: CellAddress) -> bool {
        checksum(&self.data, address) == self.checksum
    }
}

/// BLAKE3 over the bytes, then the extent id, the shard index and the stripe (big-endian).
pub fn checksum(data: &[u8], address: CellAddress) -> CellChecksum {
    let mut place = [0u8; 21];
    place[..16].copy_from_slice(&address.extent.to_bytes());
    place[16] = address.shard;
    place[17..].copy_from_slice(&address.stripe.to_be_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(data);
    hasher.update(&place);
    CellChecksum(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;

    fn address() -> CellAddress {
        CellAddress { extent: ExtentId::new(SessionId(1), 2), shard: 3, stripe: 4 }
    }

    #[test]
    fn a_flipped_bit_or_another_place_does_not_verify() {
        let cell = Cell::new(Bytes::from_static(b"cairn"), address());
        assert!(cell.verify(address()));
        assert!(!Cell { data: Bytes::from_static(b"cairm"), ..cell.clone() }.verify(address()));
        assert!(!cell.verify(CellAddress { extent: ExtentId::new(SessionId(1), 3), ..address() }));
        assert!(!cell.verify(CellAddress { shard: 2, ..address() }));
        assert!(!cell.verify(CellAddress { stripe: 5, ..address() }));
    }
}
