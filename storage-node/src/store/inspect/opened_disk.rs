//! A disk that is open for reading.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::error::InspectError;
use super::report::Problem;
use crate::disk_io::{DiskFile, DiskIo, RealDisk};
use crate::format::{BLOCK_BYTES, BlockKind, DiskIdentity, IdentityBlock};
use crate::store::superblock::SUPERBLOCK;
use crate::store::volume_files::{volume_name, volume_number};

/// A disk that is open for reading.
pub(crate) struct OpenedDisk {
    pub(crate) block: IdentityBlock,
    pub(crate) volumes: BTreeMap<u32, Arc<dyn DiskFile>>,
    pub(crate) problems: Vec<Problem>,
    _lock: Option<std::fs::File>,
}

impl OpenedDisk {
    pub(crate) fn open(path: &Path, in_use: bool) -> Result<Self, InspectError> {
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

    pub(crate) fn identity(&self) -> &DiskIdentity {
        &self.block.identity
    }
}

/// Whose disk it is, from the superblock or else the first volume with a good header.
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
    let header = |number: u32, file: &Arc<dyn DiskFile>| {
        let block = file.read_at(BLOCK_BYTES, 0).ok()?;
        IdentityBlock::decode(BlockKind::Volume(number), &block).ok()
    };
    let mut headers = volumes.iter().filter_map(|(number, file)| header(*number, file));
    headers.next().ok_or_else(|| InspectError::NoIdentity { path: path.to_owned(), why })
}
