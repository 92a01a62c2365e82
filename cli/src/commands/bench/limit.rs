//! The limits of the disk under a directory, measured in the same run as the benchmark.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_core::clock::Clock;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

/// Limit of each of the two measurements.
const TIME: Duration = Duration::from_secs(3);
/// Bytes of one append before its sync.
const APPEND_BYTES: usize = 4 << 10;
/// Bytes of one sequential write.
const BLOCK_BYTES: usize = 1 << 20;
/// Sequential bytes per sync.
const SYNC_BYTES: u64 = 64 << 20;
/// Limit of sequential bytes.
const SEQUENTIAL_BYTES_MAX: u64 = 2 << 30;

/// The limits of a disk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Limit {
    pub(super) dir: PathBuf,
    /// 4 KiB appends per second, each with its own fdatasync.
    pub(super) fdatasync_per_s: f64,
    /// Sequential bytes written per second, with an fdatasync every 64 MiB.
    pub(super) synced_write_bytes_per_s: f64,
}

/// Measures the disk under `dir` with a temporary file.
pub(super) fn measure(dir: &Path, clock: &dyn Clock) -> io::Result<Limit> {
    let path = dir.join(format!(".cairn-bench-{}", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let measured = measure_file(file, clock);
    std::fs::remove_file(&path)?;
    let (fdatasync_per_s, synced_write_bytes_per_s) = measured?;
    Ok(Limit { dir: dir.to_owned(), fdatasync_per_s, synced_write_bytes_per_s })
}

fn measure_file(mut file: File, clock: &dyn Clock) -> io::Result<(f64, f64)> {
    let mut block = vec![0; BLOCK_BYTES];
    SmallRng::seed_from_u64(1).fill_bytes(&mut block);

    let started = clock.monotonic();
    let mut appends = 0u32;
    while clock.monotonic().saturating_sub(started) < TIME {
        file.write_all(&block[..APPEND_BYTES])?;
        file.sync_data()?;
        appends += 1;
    }
    let fdatasync_per_s = f64::from(appends) / clock.monotonic().saturating_sub(started).as_secs_f64();

    let started = clock.monotonic();
    let mut written = 0u64;
    while clock.monotonic().saturating_sub(started) < TIME && written < SEQUENTIAL_BYTES_MAX {
        for _ in 0..SYNC_BYTES / BLOCK_BYTES as u64 {
            file.write_all(&block)?;
        }
        file.sync_data()?;
        written += SYNC_BYTES;
    }
    let bytes_per_s = written as f64 / clock.monotonic().saturating_sub(started).as_secs_f64();
    Ok((fdatasync_per_s, bytes_per_s))
}
