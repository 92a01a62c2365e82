//! Why a disk cannot be inspected.

use std::io;
use std::path::PathBuf;

use cairn_core::shard::ShardId;

use crate::store::records::Damage;

/// A disk, or a shard of it, that cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error("{} holds no disk: it has no directory `volumes`; name a disk's directory, such as cairn-data/disk1", path.display())]
    NotADisk { path: PathBuf },
    #[error(
        "the disk at {} is in use by a running server: stop that first, or pass --in-use to look all the same (what is \
         being written right now then seems unfinished)",
        path.display()
    )]
    InUse { path: PathBuf },
    /// Neither the superblock nor any volume says whose disk it is.
    #[error("nothing in {} says whose disk it is: the superblock cannot be used ({why}), nor any volume's header", path.display())]
    NoIdentity { path: PathBuf, why: String },
    #[error("{what} failed in {}: {source}", path.display())]
    Io { path: PathBuf, what: &'static str, source: io::Error },
    #[error("volume {volume} cannot be read: {source}; check the kernel log")]
    Volume { volume: u32, source: io::Error },
    #[error("{} does not hold {shard}; `--shards` lists what it holds", path.display())]
    NoSuchShard { path: PathBuf, shard: ShardId },
    #[error("{shard} is bad and is not exported: {damage}; `cairn cluster status` tells whether it waits for repair")]
    Damaged { shard: ShardId, damage: Damage },
}
