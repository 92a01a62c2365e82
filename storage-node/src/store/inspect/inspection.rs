//! The inspection of a whole disk.

use std::path::Path;

use super::error::InspectError;
use super::opened_disk::OpenedDisk;
use super::report::{Inspection, ShardReport};
use super::walk::{Walk, verify_shards};

/// How to inspect a disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct InspectOptions {
    /// Whether every checksum is verified.
    pub verify: bool,
    /// Whether a disk that a process uses is inspected too. What is being written then seems unfinished.
    pub in_use: bool,
}

/// Inspects the disk in `path`.
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
        problems.extend(verify_shards(&disk, &shards));
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
