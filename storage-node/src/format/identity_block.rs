//! The superblock of a disk and the header of a volume: the same block under two names.

use cairn_core::id::{ClusterId, DiskId};

use super::bytes_at::{array_at, put, u16_at, u32_at, u64_at};
use super::layout::FORMAT_VERSION;

/// Bytes of the block, in every format version, so that an old release can recognize a newer one.
pub const BLOCK_BYTES: usize = 512;
/// The checksum covers everything before it, in every format version.
const CHECKSUM_AT: usize = 480;

/// Which of the two blocks it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    Superblock,
    /// The header of the volume with this number.
    Volume(u32),
}

impl BlockKind {
    const fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Superblock => b"CAIRNDSK",
            Self::Volume(_) => b"CAIRNVOL",
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::Superblock => 0,
            Self::Volume(number) => number,
        }
    }
}

/// What every record of a disk is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskIdentity {
    pub cluster: ClusterId,
    pub disk: DiskId,
    /// Random bytes that only the disk has. The checksums of records are keyed with them, so that a user's bytes never pass
    /// for a record when a damaged volume is searched for its records.
    pub salt: [u8; 32],
}

/// Why a block is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// All bytes are zero: nothing was ever written.
    #[error("the block is empty")]
    Empty,
    /// It does not begin like a block of Cairn.
    #[error("the block is not Cairn's")]
    Magic,
    #[error("the block is damaged: its checksum does not match")]
    Damaged,
    /// A later release wrote it.
    #[error("the format version is {found}, this release knows versions up to {FORMAT_VERSION}")]
    Newer { found: u16 },
    /// It is the header of another volume.
    #[error("the header names volume {found}, the file name says {expected}")]
    Number { found: u32, expected: u32 },
}

/// A superblock or a volume header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityBlock {
    pub identity: DiskIdentity,
    /// When it was written, in milliseconds since the Unix epoch; for people.
    pub created_ms: u64,
}

impl IdentityBlock {
    /// The bytes on disk.
    pub fn encode(&self, kind: BlockKind) -> [u8; BLOCK_BYTES] {
        let mut block = [0; BLOCK_BYTES];
        put(&mut block, 0, kind.magic());
        put(&mut block, 8, &FORMAT_VERSION.to_le_bytes());
        put(&mut block, 12, &kind.number().to_le_bytes());
        put(&mut block, 16, &self.identity.cluster.to_bytes());
        put(&mut block, 32, &self.identity.disk.to_bytes());
        put(&mut block, 48, &self.created_ms.to_le_bytes());
        put(&mut block, 64, &self.identity.salt);
        let checksum = blake3::hash(&block[..CHECKSUM_AT]);
        put(&mut block, CHECKSUM_AT, checksum.as_bytes());
        block
    }

    /// Reads a block and checks everything but its identity.
    pub fn decode(kind: BlockKind, block: &[u8]) -> Result<Self, BlockError> {
        if block.iter().all(|b| *b == 0) {
            return Err(BlockError::Empty);
        }
        let block: &[u8; BLOCK_BYTES] =
            block.get(..BLOCK_BYTES).and_then(|b| b.try_into().ok()).ok_or(BlockError::Damaged)?;
        if block[..8] != *kind.magic() {
            return Err(BlockError::Magic);
        }
        if blake3::hash(&block[..CHECKSUM_AT]).as_bytes() != &block[CHECKSUM_AT..] {
            return Err(BlockError::Damaged);
        }
        Self::fields(kind, block).unwrap_or(Err(BlockError::Damaged))
    }

    fn fields(kind: BlockKind, block: &[u8]) -> Option<Result<Self, BlockError>> {
        let (version, number) = (u16_at(block, 8)?, u32_at(block, 12)?);
        if version > FORMAT_VERSION {
            return Some(Err(BlockError::Newer { found: version }));
        }
        if number != kind.number() {
            return Some(Err(BlockError::Number { found: number, expected: kind.number() }));
        }
        let identity = DiskIdentity {
            cluster: ClusterId::from_bytes(array_at(block, 16)?),
            disk: DiskId::from_bytes(array_at(block, 32)?),
            salt: array_at(block, 64)?,
        };
        Some(Ok(Self { identity, created_ms: u64_at(block, 48)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> IdentityBlock {
        let identity = DiskIdentity {
            cluster: ClusterId::from_random([1; 16]),
            disk: DiskId::from_random([2; 16]),
            salt: [3; 32],
        };
        IdentityBlock { identity, created_ms: 1_790_000_000_000 }
    }

    #[test]
    fn a_block_reads_back_and_every_flipped_bit_is_noticed() {
        let bytes = block().encode(BlockKind::Superblock);
        assert_eq!(IdentityBlock::decode(BlockKind::Superblock, &bytes), Ok(block()));
        for at in 0..BLOCK_BYTES * 8 {
            let mut bad = bytes;
            bad[at / 8] ^= 1 << (at % 8);
            assert!(IdentityBlock::decode(BlockKind::Superblock, &bad).is_err(), "bit {at}");
        }
    }

    #[test]
    fn other_blocks_are_told_apart() {
        let check = |kind, bytes: &[u8], expected| assert_eq!(IdentityBlock::decode(kind, bytes), Err(expected));
        let volume = block().encode(BlockKind::Volume(7));
        check(BlockKind::Superblock, &volume, BlockError::Magic);
        check(BlockKind::Volume(8), &volume, BlockError::Number { found: 7, expected: 8 });
        check(BlockKind::Superblock, &[0; BLOCK_BYTES], BlockError::Empty);
        check(BlockKind::Volume(7), &volume[..100], BlockError::Damaged);
        let mut newer = volume;
        newer[8] = 2;
        let checksum = blake3::hash(&newer[..CHECKSUM_AT]);
        newer[CHECKSUM_AT..].copy_from_slice(checksum.as_bytes());
        check(BlockKind::Volume(7), &newer, BlockError::Newer { found: 2 });
    }
}
