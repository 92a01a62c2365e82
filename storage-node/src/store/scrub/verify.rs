//! Verifying one record from its first byte to its last.

use bytes::Bytes;
use cairn_core::cell::CHECKSUM_BYTES;
use cairn_core::shard::{body_range, split_body};

use crate::format::{DiskIdentity, FOOTER_BYTES, Footer, RecordHeader};

/// What is wrong with the record of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The header does not verify.
    #[error("its header does not verify")]
    Header,
    /// A good header, and not the one that belongs there.
    #[error("another record lies in its place")]
    OtherRecord,
    /// The volume ends inside the record.
    #[error("the volume ends inside it")]
    CutShort,
    /// A cell does not match its checksum.
    #[error("cell {0} does not match its checksum")]
    Cell(u32),
    /// The footer is not the one of these cells.
    #[error("its footer does not match its cells")]
    Footer,
    /// The disk does not give the bytes.
    #[error("the disk does not give its bytes")]
    Unreadable,
    /// The volume's file is not there.
    #[error("the file of its volume is gone")]
    VolumeGone,
}

/// Where the bytes of a volume come from.
pub(in crate::store) trait Source {
    /// Why there are none.
    type Error;

    /// Up to `bytes` from `offset` on; fewer only at the end of the volume.
    fn read(&mut self, offset: u64, bytes: usize) -> Result<Bytes, Self::Error>;
}

/// Compares a record with what the index, or the walk through its volume, says about it: the header, every cell, and
/// the footer. What is wrong first is returned.
pub(in crate::store) fn verify<S: Source>(
    identity: &DiskIdentity,
    expected: &RecordHeader,
    source: &mut S,
) -> Result<Result<(), Damage>, S::Error> {
    let (place, geometry) = (expected.place, &expected.geometry);
    let key = identity.volume_key(place.volume);
    let head = source.read(place.offset, expected.body_start() as usize)?;
    let Ok(found) = RecordHeader::decode(identity, place, &head) else { return Ok(Err(Damage::Header)) };
    let Ok(checksum) = found.verify(&key, &head) else { return Ok(Err(Damage::Header)) };
    if found != *expected {
        return Ok(Err(Damage::OtherRecord));
    }
    let mut footer = Footer::new();
    for stripe in 0..geometry.stripes() {
        let range = body_range(geometry, &(stripe..stripe + 1));
        let bytes = geometry.cell_length(stripe) as usize + CHECKSUM_BYTES;
        let body = source.read(place.offset + expected.body_start() + range.start, bytes)?;
        let Some(cell) = split_body(geometry, stripe..stripe + 1, &body).and_then(|cells| cells.into_iter().next())
        else {
            return Ok(Err(Damage::CutShort));
        };
        if !cell.verify(expected.shard.cell(stripe)) {
            return Ok(Err(Damage::Cell(stripe)));
        }
        footer.add(&cell.checksum);
    }
    let stored = source.read(place.offset + expected.footer_start(), FOOTER_BYTES)?;
    Ok(match stored.len() {
        FOOTER_BYTES if stored == footer.encode(&key, &checksum)[..] => Ok(()),
        FOOTER_BYTES => Err(Damage::Footer),
        _ => Err(Damage::CutShort),
    })
}
