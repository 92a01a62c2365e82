//! What a storage node is started with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::Labels;
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;
use cairn_protocol::metadata::Metadata;
use cairn_protocol::storage::StorageDirectory;

use super::slow_disk::SlowDiskOptions;
use crate::store::{ScrubOptions, StoreOptions};

/// Options of a storage node.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory of the node's own state: its identity and the disks that it has ever had.
    pub state_dir: PathBuf,
    /// The disks' directories.
    pub disks: Vec<PathBuf>,
    /// The node's name, for people.
    pub name: String,
    /// `host:port` of its internal RPC; empty if only its own process uses it.
    pub rpc_addr: String,
    /// Where the node is.
    pub labels: Labels,
    /// Free bytes on a filesystem below which its disks take no new shards. `None` for 1 % of the filesystem, but at least
    /// 256 MiB.
    pub reserve_bytes: Option<u64>,
    /// Bytes that each disk may hold. `None` for the filesystem's size, shared evenly by the disks on it.
    pub capacity_bytes: Option<u64>,
    /// Bytes after which a volume is sealed.
    pub volume_bytes: u64,
    pub scrub: ScrubOptions,
    /// Percent of a volume that must be dead before it is compacted: 1 to 100.
    pub compact_dead_percent: u8,
    /// Bytes of live shards that compaction copies on a disk in a second, at most; zero for no compaction.
    pub compact_bytes_per_s_max: u64,
    pub slow_disk: SlowDiskOptions,
    /// Time between heartbeats.
    pub heartbeat_interval: Duration,
    /// Time between two rounds of the collector.
    pub collect_interval: Duration,
    /// Time between two looks at the disk directories.
    pub probe_interval: Duration,
}

impl Options {
    /// The defaults for a node with these disks.
    pub fn new(state_dir: PathBuf, disks: Vec<PathBuf>, name: impl Into<String>) -> Self {
        Self {
            state_dir,
            disks,
            name: name.into(),
            rpc_addr: String::new(),
            labels: Labels::default(),
            reserve_bytes: None,
            capacity_bytes: None,
            volume_bytes: StoreOptions::default().volume_bytes,
            scrub: ScrubOptions::default(),
            compact_dead_percent: StoreOptions::default().compact_dead_percent,
            compact_bytes_per_s_max: StoreOptions::default().compact_bytes_per_s_max,
            slow_disk: SlowDiskOptions::default(),
            heartbeat_interval: Duration::from_secs(1),
            collect_interval: Duration::from_mins(15),
            probe_interval: Duration::from_secs(3),
        }
    }
}

/// What a storage node needs from its process.
#[derive(Clone)]
pub struct Dependencies {
    pub clock: Arc<dyn Clock>,
    /// For identities.
    pub random: Arc<dyn RandomSource>,
    /// Starts the disks' threads.
    pub threads: Arc<dyn Threads>,
    pub metadata: Arc<dyn Metadata>,
    /// All storage nodes, with this one: a rebuild reads from them.
    pub peers: StorageDirectory,
}
