//! Why a disk cannot be looked at.

use std::io;
use std::path::PathBuf;

use cairn_core::shard::ShardId;

use crate::store::Damage;

/// A disk, or a shard of it, that cannot be looked at. Says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is no disk.
    #[error("{} holds no disk: it has no directory `volumes`; name a disk's directory, such as cairn-data/disk1", path.display())]
    NotADisk {
        /// The directory.
        path: PathBuf,
    },
    /// A process uses the disk.
    #[error(
        "the disk at {} is in use by a running server: stop that first, or pass --in-use to look all the same (what is \
         being written right now then seems unfinished)",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Neither the superblock nor any volume says whose disk it is.
    #[error("nothing in {} says whose disk it is: the superblock cannot be used ({why}), nor any volume's header", path.display())]
    NoIdentity {
        /// The directory.
        path: PathBuf,
        /// What is wrong with the superblock.
        why: String,
    },
    /// The filesystem failed.
    #[error("{what} failed in {}: {source}", path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the filesystem said.
        source: io::Error,
    },
    /// A volume cannot be read.
    #[error("volume {volume} cannot be read: {source}; check the kernel log")]
    Volume {
        /// Its number.
        volume: u32,
        /// What the filesystem said.
        source: io::Error,
    },
    /// No such shard.
    #[error("{} does not hold {shard}; `--shards` lists what it holds", path.display())]
    NoSuchShard {
        /// The directory.
        path: PathBuf,
        /// The shard.
        shard: ShardId,
    },
    /// The shard is bad.
    #[error("{shard} is bad and is not exported: {damage}; `cairn cluster status` tells whether it waits for repair")]
    Damaged {
        /// The shard.
        shard: ShardId,
        /// What is wrong with it.
        damage: Damage,
    },
}
