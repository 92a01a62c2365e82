//! The volume store of one disk: whole small shards, streamed large ones and verified reads, beside what the same
//! filesystem does without the store. `CAIRN_BENCH_DIR` chooses the filesystem (default: that of the build).

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark is a process of its own")]

mod cache;
mod dice;
mod disk;
mod limits;
mod replay;
mod sizes;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cairn_benches::{print_beside_limit, rounds};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};

use crate::cache::{evict, warm};
use crate::dice::Dice;
use crate::disk::{Disk, directory};
use crate::limits::{bare_read_rate, fdatasync_rate, fio_rate, sequential_rate};
use crate::sizes::{LARGE, SMALL, STREAMS};

/// Small shards on the disk when reads are measured: far more than are read in a round, so that few come from memory.
const READ_FROM: u64 = 400_000;
/// Small shards that are read at the same time.
const READERS: u64 = 32;
const ROUNDS: usize = 5;

fn store(c: &mut Criterion) {
    let dir = directory();
    let disk = Disk::open(dir.path());
    let mut group = c.benchmark_group("volume-store");
    group.sample_size(10).throughput(Throughput::Elements(1));
    for writers in [1, 64] {
        group.bench_with_input(BenchmarkId::new("put 4 KiB whole, writers", writers), &writers, |b, &writers| {
            b.iter_custom(|count| {
                let (begin, left) = (Instant::now(), Arc::new(AtomicU64::new(count)));
                let more =
                    move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
                disk.put_small(writers, more);
                begin.elapsed()
            });
        });
    }
    let mut dice = Dice(2);
    group.bench_function("verified random read of 4 KiB", |b| {
        b.iter(|| disk.runtime.block_on(disk.read_small(&mut dice)));
    });
    group.throughput(Throughput::Bytes(LARGE as u64));
    group.bench_function("streamed shard of 16 MiB", |b| b.iter(|| disk.runtime.block_on(disk.put_large())));
    group.finish();
    disk.store.close();
}

/// Prints each figure beside what the same filesystem does without the store.
fn compare() {
    let dir = directory();
    let disk = Arc::new(Disk::open(dir.path()));
    let body = disk.body.clone();
    let [appends, writes, one, many] = rounds(
        ROUNDS,
        &mut [
            &mut || fdatasync_rate(dir.path(), &body, false),
            &mut || fdatasync_rate(dir.path(), &body, true),
            &mut || disk.small_rate(1),
            &mut || disk.small_rate(64),
        ],
    );
    for (writers, puts) in [(1, one), (64, many)] {
        let name = format!("whole shards of 4 KiB, {writers} at a time");
        print_beside_limit(&name, puts, "fdatasync rate of the directory, in a file that grows", appends);
        print_beside_limit(&name, puts, "fdatasync rate of the directory, in a file that is written over", writes);
    }

    let [sequential, streamed] =
        rounds(ROUNDS, &mut [&mut || sequential_rate(dir.path(), &body), &mut || disk.put_large_round()]);
    let name = format!("streamed shards of 16 MiB, {STREAMS} at a time");
    print_beside_limit(&name, streamed, "sequential write synced every 64 MiB", sequential);

    compare_reads(&disk, dir.path());
    disk.store.close();
}

/// Compares reads of small shards, from the device and from the page cache, with those of fio from a file of the same
/// size.
fn compare_reads(disk: &Arc<Disk>, dir: &Path) {
    let left = READ_FROM.saturating_sub(disk.small.load(Ordering::Relaxed));
    let left = Arc::new(AtomicU64::new(left));
    disk.put_small(256, move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok());
    let places = disk.small.load(Ordering::Relaxed);
    let path = dir.join("bare");
    std::fs::write(&path, (0..places).flat_map(|_| &disk.body[..SMALL]).copied().collect::<Vec<u8>>()).unwrap();
    let bare = File::open(&path).unwrap();
    bare.sync_all().unwrap();
    for readers in [1, READERS] {
        let mut cold = || {
            evict(dir);
            disk.read_rate(readers)
        };
        let [cold] = rounds(ROUNDS, &mut [&mut cold]);
        let name = format!("verified random reads of {places} shards of 4 KiB from the device, {readers} at a time");
        if let Some(fio) = fio_rate(&path, readers, true) {
            print_beside_limit(&name, cold, "fio randread of 4 KiB from the device", fio);
        }
    }
    warm(dir);
    for readers in [1, READERS] {
        let [bare, warm] =
            rounds(ROUNDS, &mut [&mut || bare_read_rate(&bare, places), &mut || disk.read_rate(readers)]);
        let name = format!("verified random reads of {places} shards of 4 KiB from memory, {readers} at a time");
        print_beside_limit(&name, warm, "pread and checksum of 4 KiB in a file, 1 at a time", bare);
        if let Some(fio) = fio_rate(&path, readers, false) {
            print_beside_limit(&name, warm, "fio randread of 4 KiB", fio);
        }
    }
}

criterion_group!(benches, store);

fn main() {
    benches();
    compare();
    replay::replay();
    Criterion::default().configure_from_args().final_summary();
}
