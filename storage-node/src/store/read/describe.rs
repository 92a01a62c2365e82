//! Reading what a shard says of itself.

use bytes::Bytes;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::cells::{ATTEMPTS_MAX, check_header};
use crate::format::HEADER_BYTES;
use crate::store::disk::Disk;
use crate::store::index::{Entry, Index};

/// Reads a record's header and descriptor, and verifies them.
pub(crate) fn describe(disk: &Disk, index: &Index, shard: ShardId) -> Result<ShardHeader, StorageError> {
    for _ in 0..ATTEMPTS_MAX {
        let Some(entry) = index.locate(shard)?.entry else {
            return Err(disk.error(StorageErrorKind::Missing, format_args!("{shard} is not here")));
        };
        let described = describe_entry(disk, &entry, shard);
        // As for cells: what is read where a record died meanwhile says nothing.
        if described.is_ok() || index.locate(shard)?.entry == Some(entry) {
            return described;
        }
    }
    Err(disk.error(StorageErrorKind::Busy, format_args!("{shard} keeps moving")))
}

fn describe_entry(disk: &Disk, entry: &Entry, shard: ShardId) -> Result<ShardHeader, StorageError> {
    let place = entry.place;
    let file = disk.files.get(place.volume).map_err(|e| disk.io_error("opening a volume", &e))?;
    let header = entry.header(shard);
    let bytes = file.read_at(header.body_start() as usize, place.offset);
    let bytes = bytes.map_err(|e| disk.io_error(&format!("reading {shard} at {place}"), &e))?;
    check_header(&disk.identity, &header, &bytes)
        .map_err(|what| disk.error(StorageErrorKind::Corrupt, format_args!("{shard} at {place}: {what}")))?;
    let descriptor = Bytes::from(bytes).split_off(HEADER_BYTES);
    Ok(header.into_shard(descriptor))
}
