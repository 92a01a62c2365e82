//! Exporting one shard's data from a disk.

use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use cairn_core::shard::{ShardId, body_range, split_body};

use super::error::InspectError;
use super::opened_disk::OpenedDisk;
use super::walk::Walk;
use crate::store::records::{Damage, FileSource, verify};

/// Writes the data of one shard's cells, without their checksums, to `to`, and returns how many bytes that is. Nothing is
/// written if any of it does not verify. With `in_use`, a disk that a process uses is read too.
pub fn export(path: &Path, shard: ShardId, in_use: bool, to: &mut dyn Write) -> Result<u64, InspectError> {
    let disk = OpenedDisk::open(path, in_use)?;
    let mut walk = Walk::default();
    for number in disk.volumes.keys() {
        walk.volume(&disk, *number, false)?;
    }
    let no_such_shard = || InspectError::NoSuchShard { path: path.to_owned(), shard };
    let header = walk.live().into_iter().find(|header| header.shard == shard).ok_or_else(no_such_shard)?;
    let volume = header.place.volume;
    let file = disk.volumes.get(&volume).ok_or_else(no_such_shard)?;
    let failed = |source| InspectError::Volume { volume, source };
    let verdict = verify(disk.identity(), &header, FileSource(file)).map_err(failed)?;
    verdict.map_err(|damage| InspectError::Damaged { shard, damage })?;
    let geometry = &header.geometry;
    let mut written = 0;
    for stripe in 0..geometry.stripes() {
        let range = body_range(geometry, &(stripe..stripe + 1));
        let offset = header.place.offset + header.body_start() + range.start;
        let body = Bytes::from(file.read_at((range.end - range.start) as usize, offset).map_err(failed)?);
        // Read again, so verified again: what was verified above is not what is written here.
        let cell = split_body(geometry, stripe..stripe + 1, &body).and_then(|cells| cells.into_iter().next());
        let cell = cell.filter(|cell| cell.verify(shard.cell(stripe)));
        let damage = Damage::Cell(stripe);
        let cell = cell.ok_or(InspectError::Damaged { shard, damage })?;
        let output = |source| InspectError::Io { path: path.to_owned(), what: "writing the exported data", source };
        to.write_all(&cell.data).map_err(output)?;
        written += cell.data.len() as u64;
    }
    Ok(written)
}
