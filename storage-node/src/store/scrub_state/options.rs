//! How a disk is scrubbed.

use std::time::Duration;

/// Options of a disk's scrub.
#[derive(Debug, Clone, Copy)]
pub struct ScrubOptions {
    /// Time within which every shard is verified again; zero for never. A cycle is paced to end within half of it, and
    /// the next begins when that half is over, so that no shard waits longer than the whole, wherever it is.
    pub period: Duration,
    /// Fastest reading, in bytes per second: of a cycle that is late, or that was asked for.
    pub bytes_per_s_max: u64,
    /// Time between two reads of a record that did not verify; ten times as long where the read failed.
    pub recheck_pause: Duration,
    /// Time between two writes of the progress.
    pub save_interval: Duration,
}

impl Default for ScrubOptions {
    fn default() -> Self {
        Self {
            period: Duration::from_hours(30 * 24),
            bytes_per_s_max: 64 << 20,
            recheck_pause: Duration::from_millis(200),
            save_interval: Duration::from_secs(30),
        }
    }
}

/// Slowest reading, in bytes per second: a small disk takes an hour, and one read per second disturbs no client.
pub(crate) const BYTES_PER_S_MIN: u64 = 1 << 20;
/// Bytes that are read at a time: enough for sequential speed, few enough for a client to wait for.
pub(crate) const WINDOW_BYTES: usize = 512 << 10;
/// Bytes verified between two writes of the progress.
pub(crate) const SAVE_BYTES: u64 = 256 << 20;
/// Time between two writes of the progress while no cycle is under way.
pub(crate) const IDLE_SAVE_INTERVAL: Duration = Duration::from_mins(10);
/// Shards that are listed in one pass over the index.
pub(crate) const BATCH_SHARDS: usize = 65_536;
/// Rows of the index that are read at a time.
pub(crate) const PAGE_ROWS: usize = 4096;
/// Findings that wait to be reported; with this many the scrub waits.
pub(crate) const UNREPORTED_MAX: usize = 10_000;
/// Newest findings that the status shows.
pub(crate) const NEWEST_MAX: usize = 16;
/// Unreadable records in a row after which the disk is to blame, not the records.
pub(crate) const UNREADABLE_IN_A_ROW_MAX: u32 = 16;
/// Time for which a disk in trouble is left alone.
pub(crate) const TROUBLE_PAUSE: Duration = Duration::from_mins(1);
/// Time between two looks of an idle scrub whether a cycle is due.
pub(crate) const TICK: Duration = Duration::from_secs(1);
