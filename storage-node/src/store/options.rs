//! What can be tuned about a disk's store.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::{ClusterId, DiskId};
use cairn_core::threads::Threads;

use super::scrub_state::options::ScrubOptions;
use crate::disk_io::DiskIo;

/// The disk that a directory should hold.
#[derive(Clone)]
pub struct ExpectedDisk {
    pub io: Arc<dyn DiskIo>,
    /// The directory, for error messages.
    pub path: String,
    pub cluster: ClusterId,
    pub disk: DiskId,
}

/// What a store needs from its process.
#[derive(Clone)]
pub struct StoreDependencies {
    pub clock: Arc<dyn Clock>,
    pub threads: Arc<dyn Threads>,
}

/// Options of one disk's store.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Bytes after which a volume is sealed and the next one begins.
    pub volume_bytes: u64,
    /// Free bytes on the filesystem below which no new shards are taken.
    pub reserve_bytes: u64,
    /// Memory for the index's page cache, in bytes.
    pub index_cache_bytes: usize,
    /// Time between checkpoints of the index; a restart replays what came after the last.
    pub checkpoint_interval: Duration,
    pub scrub: ScrubOptions,
    /// Bytes that are kept allocated for deletions past the last record, and as many again in the spare file.
    pub tombstone_room_bytes: u64,
    /// Time between two compaction passes.
    pub compact_interval: Duration,
    /// Highest rate of compaction, in bytes of live shards per second; zero for no compaction.
    pub compact_bytes_per_s_max: u64,
    /// Share of dead bytes from which a volume is compacted, in percent: 1 to 100.
    pub compact_dead_percent: u8,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            volume_bytes: 1 << 30,
            reserve_bytes: 256 << 20,
            index_cache_bytes: 32 << 20,
            checkpoint_interval: Duration::from_secs(5),
            scrub: ScrubOptions::default(),
            tombstone_room_bytes: 1 << 20,
            compact_interval: Duration::from_secs(10),
            compact_bytes_per_s_max: 32 << 20,
            compact_dead_percent: 50,
        }
    }
}

/// Requests that wait for the log thread; more are refused as `Busy`.
pub(crate) const LOG_QUEUE_MAX: usize = 4096;
/// Bytes of shards between the network and the disk; more are refused as `Busy`.
pub(crate) const WRITE_BYTES_MAX: usize = 64 << 20;
/// Reads that wait for a thread; more are refused as `Busy`.
pub(crate) const READ_QUEUE_MAX: usize = 1024;
/// Shards that stream in at the same time; more are refused as `Busy`.
pub(crate) const STREAMS_MAX: usize = 256;
pub(crate) const STREAM_THREADS: usize = 2;
/// Threads that read. A device needs this many reads at the same time for its full rate.
pub(crate) const READ_THREADS: usize = 32;
/// Read threads that work at the same time; those that wait for the device do not count.
pub(crate) const READERS_WORKING_MAX: usize = 6;
/// How long a write or a sync may take before the disk is suspect.
pub(crate) const STALL_LIMIT: Duration = Duration::from_secs(5);
/// Bytes that the log thread gathers into one write.
pub(crate) const GROUP_BYTES_MAX: usize = 4 << 20;
/// Whole shards of at most this many bytes go through the log thread; larger ones stream into their own region.
pub(crate) const WHOLE_BYTES_MAX: u64 = 1 << 20;
/// Changes of the index after which a checkpoint does not wait for its interval.
pub(crate) const CHECKPOINT_CHANGES_MAX: usize = 200_000;
/// Volume files that are kept open.
pub(crate) const OPEN_FILES_MAX: usize = 128;
/// Entries of the database that are remembered in memory, in each of two generations.
pub(crate) const RECENT_ENTRIES_MAX: usize = 32_768;
/// Shards in one page of an inventory.
pub(crate) const INVENTORY_PAGE_MAX: u32 = 10_000;
/// Bytes that are allocated ahead of the log at a time, where much is free.
pub(crate) const ALLOCATE_BYTES_MAX: u64 = 4 << 20;
/// Sealed volumes of less than a sixteenth of the size that may exist before they are merged: each start leaves one behind.
pub(crate) const SMALL_VOLUMES_MAX: usize = 16;
/// Bytes of shards that compaction sends to the log before it waits for them.
pub(crate) const COMPACT_BATCH_BYTES: u64 = 1 << 20;
/// Records that compaction sends to the log before it waits for them.
pub(crate) const COMPACT_BATCH_RECORDS: usize = 256;
