//! How long a full disk takes to open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::disk::{Disk, directory, start};

/// Shards on the disk whose replay is measured.
const REPLAYED: u64 = 1_000_000;
/// Bytes of each of them.
const TINY: usize = 256;

/// Resident memory of the process in bytes. Source: `VmRSS` in proc(5).
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Measures how long a disk with a million shards takes to open with its index, after a crash and without an index, and
/// how much memory that needs.
#[allow(clippy::print_stdout, reason = "the figures are what a benchmark is for")]
pub(crate) fn replay() {
    let dir = directory();
    let disk = Disk::open(dir.path());
    let left = Arc::new(AtomicU64::new(REPLAYED));
    let more = move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
    let stored = disk.put_bytes(TINY, 256, more);
    disk.store.close();
    drop(disk);
    for (how, index_lost) in [("with its index", false), ("without its index", true)] {
        if index_lost {
            std::fs::remove_file(dir.path().join("index.redb")).unwrap();
        }
        let (before, begin) = (resident_bytes(), Instant::now());
        let store = start(dir.path());
        let (took, grown) = (begin.elapsed(), resident_bytes().saturating_sub(before));
        let shards = store.usage().shards;
        assert_eq!(shards, stored);
        println!(
            "a disk of {shards} shards {how}: in service after {took:.2?}, {} MB more in memory",
            grown / 1_000_000
        );
        store.close();
    }
}
