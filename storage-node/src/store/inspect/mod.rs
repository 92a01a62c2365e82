//! Looking at a disk without taking it into service, and without writing a byte: what its volumes hold, whether every
//! checksum is right, and single shards out of it. Works from the volumes alone; the index is not looked at, since it
//! may be what is broken. A superblock that is lost is replaced by what any volume's header says.

mod error;
mod export;
mod report;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use self::error::InspectError;
pub use self::export::export;
pub use self::report::{Inspection, Problem, ShardReport, VolumeReport};

use self::walk::Walk;
use super::recovery::SUPERBLOCK;
use super::volume_files::{volume_name, volume_number};
use crate::disk_io::{DiskFile, DiskIo, RealDisk};
use crate::format::{BLOCK_BYTES, BlockKind, DiskIdentity, IdentityBlock};

/// What to look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct InspectOptions {
    /// Whether every checksum is verified.
    pub verify: bool,
    /// Whether a disk that a process uses is looked at all the same. What is being written then seems unfinished.
    pub in_use: bool,
}

/// Looks at the disk in `path`.
pub fn inspect(path: &Path, options: InspectOptions) -> Result<Inspection, InspectError> {
    let disk = OpenedDisk::open(path, options.in_use)?;
    let mut walk = Walk::default();
    for number in disk.volumes.keys() {
        walk.volume(&disk, *number, options.verify)?;
    }
    let mut problems = disk.problems.clone();
    let shards = walk.live();
    if options.verify {
        problems.append(&mut walk.problems);
        problems.extend(walk::verify_shards(&disk, &shards));
    }
    problems.sort_by_key(|problem| (problem.volume, problem.offset));
    let volumes = walk.volumes(&disk, &shards)?;
    Ok(Inspection {
        cluster: disk.block.identity.cluster,
        disk: disk.block.identity.disk,
        created_ms: disk.block.created_ms,
        volumes,
        shards: shards.iter().map(ShardReport::of).collect(),
        verified: options.verify,
        problems,
    })
}

/// A disk that is open for reading.
struct OpenedDisk {
    block: IdentityBlock,
    volumes: BTreeMap<u32, Arc<dyn DiskFile>>,
    problems: Vec<Problem>,
    _lock: Option<std::fs::File>,
}

impl OpenedDisk {
    fn open(path: &Path, in_use: bool) -> Result<Self, InspectError> {
        let failed = |what| move |source| InspectError::Io { path: path.to_owned(), what, source };
        let io = RealDisk::read_only(path);
        let lock = match io.lock_for_reading() {
            Ok(lock) => lock,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && in_use => None,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return Err(InspectError::InUse { path: path.to_owned() });
            }
            Err(error) => return Err(failed("locking the disk")(error)),
        };
        let names = io.list_volumes().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => InspectError::NotADisk { path: path.to_owned() },
            _ => failed("listing the volumes")(source),
        })?;
        let mut volumes = BTreeMap::new();
        for number in names.iter().filter_map(|name| volume_number(name)) {
            let file = io.open_volume(&volume_name(number)).map_err(failed("opening a volume"))?;
            volumes.insert(number, file);
        }
        let mut problems = Vec::new();
        let block = identity(&io, path, &volumes, &mut problems)?;
        Ok(Self { block, volumes, problems, _lock: lock })
    }

    fn identity(&self) -> &DiskIdentity {
        &self.block.identity
    }
}

/// Whose disk it is: as the superblock says, or the first volume whose header is good.
fn identity(
    io: &RealDisk,
    path: &Path,
    volumes: &BTreeMap<u32, Arc<dyn DiskFile>>,
    problems: &mut Vec<Problem>,
) -> Result<IdentityBlock, InspectError> {
    let why = match io.read_file(SUPERBLOCK) {
        Ok(bytes) => match IdentityBlock::decode(BlockKind::Superblock, &bytes) {
            Ok(block) => return Ok(block),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    problems.push(Problem { volume: 0, offset: 0, shard: None, what: format!("the superblock cannot be used: {why}") });
    let header = |(number, file): (&u32, &Arc<dyn DiskFile>)| {
        let block = file.read_at(BLOCK_BYTES, 0).ok()?;
        IdentityBlock::decode(BlockKind::Volume(*number), &block).ok()
    };
    volumes.iter().find_map(header).ok_or_else(|| InspectError::NoIdentity { path: path.to_owned(), why })
}

#[cfg(test)]
mod tests;
