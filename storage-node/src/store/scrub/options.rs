//! How a disk is scrubbed.

use std::time::Duration;

/// Options of a disk's scrub.
#[derive(Debug, Clone, Copy)]
pub struct ScrubOptions {
    /// Time within which every shard is verified again; zero for never. A cycle is paced to end within half of it, and
    /// the next begins when that half is over, so that no shard waits longer than the whole, wherever it lies.
    pub period: Duration,
    /// Fastest reading, in bytes per second: of a cycle that is late, or that was asked for.
    pub bytes_per_s_max: u64,
    /// Time between two looks at a record that did not verify. Bytes that do not come are waited for longer.
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

/// Slowest reading, in bytes per second: a small disk is through in an hour, and one read a second disturbs nobody.
pub(super) const BYTES_PER_S_MIN: u64 = 1 << 20;
/// Bytes that are read at a time: long enough to be sequential, short enough to be waited for.
pub(super) const WINDOW_BYTES: usize = 512 << 10;
/// Bytes verified between two writes of the progress.
pub(super) const SAVE_BYTES: u64 = 256 << 20;
/// Time between two writes of the progress while no cycle is under way.
pub(super) const IDLE_SAVE_INTERVAL: Duration = Duration::from_mins(10);
/// Shards that are listed in one pass over the index.
pub(super) const BATCH_SHARDS: usize = 65_536;
/// Rows of the index that are read at a time.
pub(super) const PAGE_ROWS: usize = 4096;
/// Findings that wait to be reported; the scrub stands still when there are so many.
pub(super) const UNREPORTED_MAX: usize = 10_000;
/// Newest findings that the status shows.
pub(super) const NEWEST_MAX: usize = 16;
/// Records without bytes, one after the other, after which the disk is to blame and not the records.
pub(super) const UNREADABLE_IN_A_ROW_MAX: u32 = 16;
/// Time that a disk in trouble is left alone.
pub(super) const TROUBLE_PAUSE: Duration = Duration::from_mins(1);
/// How often an idle scrub looks whether a cycle is due.
pub(super) const TICK: Duration = Duration::from_secs(1);
