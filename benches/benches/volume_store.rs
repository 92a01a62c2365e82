//! The volume store of one disk: whole small shards, streamed large ones and verified reads, beside what the same
//! filesystem does without the store. `CAIRN_BENCH_DIR` chooses the filesystem (default: that of the build).

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark is a process of its own")]

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cairn_benches::{Rate, Unit, print_beside_limit, rounds};
use cairn_core::cell::{Cell, checksum};
use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, ExtentId, ProfileId, SessionId};
use cairn_core::limits::CELL_BYTES_DEFAULT;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::testing::{TestClock, TestThreads};
use cairn_storage_node::disk_io::RealDisk;
use cairn_storage_node::format::{DiskIdentity, IdentityBlock};
use cairn_storage_node::store::{DiskStore, ExpectedDisk, StoreDependencies, StoreOptions, format};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Bytes of a small shard.
const SMALL: usize = 4 << 10;
/// Bytes of a large shard: one of four data shards of a 64 MiB extent.
const LARGE: usize = 16 << 20;
const CELL: usize = CELL_BYTES_DEFAULT as usize;
/// Cells in one append to a stream.
const APPEND_CELLS: usize = 4;
/// Large shards that are streamed at the same time.
const STREAMS: u64 = 4;
/// Bytes of large shards in a round, and of the sequential write for comparison.
const SEQUENTIAL: usize = 16 * LARGE;
/// Bytes of the sequential write before each sync, as many as are streamed at the same time.
const SYNC_EVERY: usize = STREAMS as usize * LARGE;
/// Bytes of one sequential write.
const BLOCK: usize = 1 << 20;
/// Shards on the disk whose replay is measured.
const RECOVERED: u64 = 1_000_000;
const TINY: usize = 256;
/// Small shards on the disk when reads are measured: far more than are read in a round, so that few come from memory.
const READ_FROM: u64 = 400_000;
/// Small shards that are read at the same time.
const READERS: u64 = 32;
/// Time for which each rate of small operations is measured in a round.
const TIME: Duration = Duration::from_millis(500);
const ROUNDS: usize = 5;

/// A temporary directory on the measured filesystem.
fn directory() -> TempDir {
    let parent = std::env::var_os("CAIRN_BENCH_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    std::fs::create_dir_all(&parent).unwrap();
    TempDir::with_prefix_in("volume-store-", parent).unwrap()
}

/// A store on a real disk, and the shards in it.
struct Disk {
    store: DiskStore,
    runtime: Runtime,
    /// Counts small shards. All below are stored when no operation is running.
    small: Arc<AtomicU64>,
    large: AtomicU64,
    body: Bytes,
}

fn identity() -> DiskIdentity {
    DiskIdentity { cluster: ClusterId::from_random([1; 16]), disk: DiskId::from_random([2; 16]), salt: [3; 32] }
}

fn start(dir: &Path) -> DiskStore {
    let DiskIdentity { cluster, disk, .. } = identity();
    let (io, path) = (Arc::new(RealDisk::new(dir)), dir.display().to_string());
    let dependencies = StoreDependencies { clock: Arc::new(TestClock::real()), threads: Arc::new(TestThreads) };
    DiskStore::open(ExpectedDisk { io, path, cluster, disk }, StoreOptions::default(), &dependencies).unwrap()
}

impl Disk {
    fn open(dir: &Path) -> Self {
        let block = IdentityBlock { identity: identity(), created_ms: 1 };
        format(&RealDisk::new(dir), dir.to_str().unwrap(), &block).unwrap();
        let store = start(dir);
        let body = random(LARGE).into();
        Self { store, runtime: Runtime::new().unwrap(), small: Arc::default(), large: AtomicU64::new(0), body }
    }

    /// Puts small shards, `writers` at a time, while `more` returns true. Returns how many.
    fn put_small(&self, writers: u64, more: impl Fn() -> bool + Clone + Send + 'static) -> u64 {
        self.put_bytes(SMALL, writers, more)
    }

    /// As [`Disk::put_small`], with shards of `bytes`.
    fn put_bytes(&self, bytes: usize, writers: u64, more: impl Fn() -> bool + Clone + Send + 'static) -> u64 {
        let geometry = Geometry { length: bytes as u64, ..small_geometry() };
        let before = self.small.load(Ordering::Relaxed);
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..writers {
                let (store, next, more) = (self.store.clone(), Arc::clone(&self.small), more.clone());
                let data = self.body.slice(..bytes);
                tasks.spawn(async move {
                    while more() {
                        let id = small_id(next.fetch_add(1, Ordering::Relaxed));
                        let cell = Cell::new(data.clone(), id.cell(0));
                        store.put_shard(header(id, geometry), vec![cell]).await.unwrap();
                    }
                });
            }
            tasks.join_all().await;
        });
        self.small.load(Ordering::Relaxed) - before
    }

    /// The rate of small puts with `writers` at a time.
    fn small_rate(&self, writers: u64) -> Rate {
        let begin = Instant::now();
        let puts = self.put_small(writers, move || begin.elapsed() < TIME);
        Rate { per_s: puts as f64 / begin.elapsed().as_secs_f64(), unit: Unit::Operations }
    }

    /// Streams one large shard as the gateway does: a few cells at a time, with checksums computed on the way.
    async fn put_large(&self) {
        let id = shard_id(2, self.large.fetch_add(1, Ordering::Relaxed));
        let geometry = Geometry { length: LARGE as u64, ..small_geometry() };
        let mut writer = self.store.open_shard(header(id, geometry)).await.unwrap();
        for first in (0..LARGE / CELL).step_by(APPEND_CELLS) {
            let cell = |n: usize| Cell::new(self.body.slice(n * CELL..(n + 1) * CELL), id.cell(n as u32));
            writer.append((first..first + APPEND_CELLS).map(cell).collect()).await.unwrap();
        }
        writer.finish().await.unwrap();
    }

    /// Streams [`SEQUENTIAL`] bytes of large shards, [`STREAMS`] at a time.
    fn put_large_round(self: &Arc<Self>) -> Rate {
        let begin = Instant::now();
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..STREAMS {
                let disk = Arc::clone(self);
                tasks.spawn(async move {
                    for _ in 0..SEQUENTIAL / LARGE / STREAMS as usize {
                        disk.put_large().await;
                    }
                });
            }
            tasks.join_all().await;
        });
        Rate { per_s: SEQUENTIAL as f64 / begin.elapsed().as_secs_f64(), unit: Unit::Bytes }
    }

    /// The rate of small reads with `readers` at a time.
    fn read_rate(self: &Arc<Self>, readers: u64) -> Rate {
        let (begin, done) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for reader in 0..readers {
                let (disk, done, mut dice) =
                    (Arc::clone(self), Arc::clone(&done), Dice(begin.elapsed().as_nanos() as u64 + reader));
                tasks.spawn(async move {
                    while begin.elapsed() < TIME {
                        disk.read_small(&mut dice).await;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            tasks.join_all().await;
        });
        Rate { per_s: done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64(), unit: Unit::Operations }
    }

    /// Reads a random small shard and verifies it.
    async fn read_small(&self, dice: &mut Dice) {
        let id = small_id(dice.roll(self.small.load(Ordering::Relaxed)));
        let cells = self.store.read_cells(id, small_geometry(), 0..1).await.unwrap();
        assert!(cells[0].verify(id.cell(0)));
    }
}

/// A repeatable sequence of random numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn random(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(1);
    (0..bytes).map(|_| dice.roll(256) as u8).collect()
}

fn shard_id(session: u64, counter: u64) -> ShardId {
    ShardId { extent: ExtentId::new(SessionId(session), counter), index: 0 }
}

fn small_id(counter: u64) -> ShardId {
    shard_id(1, counter)
}

fn small_geometry() -> Geometry {
    Geometry { data_shards: 1, parity_shards: 2, cell_bytes: CELL_BYTES_DEFAULT, length: SMALL as u64 }
}

fn header(id: ShardId, geometry: Geometry) -> ShardHeader {
    ShardHeader { id, profile: ProfileId(1), geometry, descriptor: Bytes::from_static(&[7; 200]) }
}

/// Writes of 4 KiB per second, one after the other, each with its own fdatasync. In a growing file each of these also
/// commits the filesystem's journal; in one that is already `written`, only the disk counts.
fn fdatasync_rate(dir: &Path, body: &[u8], written: bool) -> Rate {
    let path = dir.join("fdatasync");
    let file = File::create(&path).unwrap();
    if written {
        file.write_all_at(body, 0).and_then(|()| file.sync_all()).unwrap();
    }
    let mut at = 0;
    let rate = Rate::measure(1, Unit::Operations, TIME, || {
        file.write_all_at(&body[..SMALL], at).and_then(|()| file.sync_data()).unwrap();
        at += SMALL as u64;
    });
    std::fs::remove_file(path).unwrap();
    rate
}

/// Writes [`SEQUENTIAL`] bytes in order into a new file, with an fdatasync every [`SYNC_EVERY`].
fn sequential_rate(dir: &Path, body: &[u8]) -> Rate {
    let path = dir.join("sequential");
    let mut file = File::create(&path).unwrap();
    let begin = Instant::now();
    for _ in 0..SEQUENTIAL / SYNC_EVERY {
        (0..STREAMS).for_each(|_| body.chunks(BLOCK).for_each(|block| file.write_all(block).unwrap()));
        file.sync_data().unwrap();
    }
    let per_s = SEQUENTIAL as f64 / begin.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    Rate { per_s, unit: Unit::Bytes }
}

/// Random reads of 4 KiB per second from a file in the page cache, each with a checksum: reads without a store.
fn bare_read_rate(file: &File, places: u64) -> Rate {
    let (mut dice, address) = (Dice(3), small_id(0).cell(0));
    Rate::measure(1, Unit::Operations, TIME, || {
        let mut bytes = vec![0; SMALL];
        file.read_exact_at(&mut bytes, dice.roll(places) * SMALL as u64).unwrap();
        black_box(checksum(&bytes, address));
    })
}

/// What fio measures for random reads of 4 KiB from a file, `readers` at a time and through the page cache, as the
/// store reads. If `cold`, they come from the device at first. `None` if fio is not installed.
fn fio_rate(file: &Path, readers: u64, cold: bool) -> Option<Rate> {
    let output = std::process::Command::new("fio")
        .args(["--name=read", "--rw=randread", "--bs=4k", "--ioengine=psync", "--readonly", "--thread"])
        .args(["--time_based", "--runtime=500ms", "--minimal", "--group_reporting"])
        .arg(format!("--invalidate={}", u8::from(cold)))
        .arg(format!("--numjobs={readers}"))
        .arg(format!("--filename={}", file.display()))
        .output()
        .ok()?;
    // Reads per second are the eighth field of the terse format, version 3.
    let per_s = String::from_utf8(output.stdout).ok()?.split(';').nth(7)?.parse().ok()?;
    Some(Rate { per_s, unit: Unit::Operations })
}

/// Calls `act` with every file under `dir`.
fn each_file(dir: &Path, act: &mut impl FnMut(&mut File)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, act);
        } else {
            act(&mut File::open(path).unwrap());
        }
    }
}

/// Drops the files under `dir` from the page cache.
fn evict(dir: &Path) {
    each_file(dir, &mut |file| rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).unwrap());
}

/// Reads all files under `dir` into the page cache.
fn warm(dir: &Path) {
    each_file(dir, &mut |file| {
        std::io::copy(file, &mut std::io::sink()).unwrap();
    });
}

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

/// Resident memory of the process in bytes. Source: `VmRSS` in proc(5).
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Measures how long a disk with a million shards takes to open with its index, after a crash and without an index, and
/// how much memory that needs.
#[allow(clippy::print_stdout, reason = "the figures are what a benchmark is for")]
fn recover() {
    let dir = directory();
    let disk = Disk::open(dir.path());
    let left = Arc::new(AtomicU64::new(RECOVERED));
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

criterion_group!(benches, store);

fn main() {
    benches();
    compare();
    recover();
    Criterion::default().configure_from_args().final_summary();
}
