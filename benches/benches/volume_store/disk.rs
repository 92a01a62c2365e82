//! A store on a real disk, and the load on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use cairn_benches::{Rate, Unit};
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, DiskId, ExtentId, ProfileId, SessionId};
use cairn_core::limits::CELL_BYTES_DEFAULT;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::testing::{TestClock, TestThreads};
use cairn_storage_node::disk_io::RealDisk;
use cairn_storage_node::format::{DiskIdentity, IdentityBlock};
use cairn_storage_node::store::{DiskStore, ExpectedDisk, StoreDependencies, StoreOptions, format};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::dice::{Dice, random};
use crate::sizes::{LARGE, SEQUENTIAL, SMALL, STREAMS, TIME};

const CELL: usize = CELL_BYTES_DEFAULT as usize;
/// Cells in one append to a stream.
const APPEND_CELLS: usize = 4;

/// A temporary directory on the measured filesystem.
pub(crate) fn directory() -> TempDir {
    let parent = std::env::var_os("CAIRN_BENCH_DIR").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    std::fs::create_dir_all(&parent).unwrap();
    TempDir::with_prefix_in("volume-store-", parent).unwrap()
}

/// A store on a real disk, and the shards in it.
pub(crate) struct Disk {
    pub(crate) store: DiskStore,
    pub(crate) runtime: Runtime,
    /// Counts small shards. All below are stored when no operation is running.
    pub(crate) small: Arc<AtomicU64>,
    large: AtomicU64,
    pub(crate) body: Bytes,
}

fn identity() -> DiskIdentity {
    DiskIdentity { cluster: ClusterId::from_random([1; 16]), disk: DiskId::from_random([2; 16]), salt: [3; 32] }
}

pub(crate) fn start(dir: &Path) -> DiskStore {
    let DiskIdentity { cluster, disk, .. } = identity();
    let (io, path) = (Arc::new(RealDisk::new(dir)), dir.display().to_string());
    let dependencies = StoreDependencies { clock: Arc::new(TestClock::real()), threads: Arc::new(TestThreads) };
    DiskStore::open(ExpectedDisk { io, path, cluster, disk }, StoreOptions::default(), &dependencies).unwrap()
}

impl Disk {
    pub(crate) fn open(dir: &Path) -> Self {
        let block = IdentityBlock { identity: identity(), created_ms: 1 };
        format(&RealDisk::new(dir), dir.to_str().unwrap(), &block).unwrap();
        let store = start(dir);
        let body = random(LARGE).into();
        Self { store, runtime: Runtime::new().unwrap(), small: Arc::default(), large: AtomicU64::new(0), body }
    }

    /// Puts small shards, `writers` at a time, while `more` returns true. Returns how many.
    pub(crate) fn put_small(&self, writers: u64, more: impl Fn() -> bool + Clone + Send + 'static) -> u64 {
        self.put_bytes(SMALL, writers, more)
    }

    /// As [`Disk::put_small`], with shards of `bytes`.
    pub(crate) fn put_bytes(
        &self,
        bytes: usize,
        writers: u64,
        more: impl Fn() -> bool + Clone + Send + 'static,
    ) -> u64 {
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
    pub(crate) fn small_rate(&self, writers: u64) -> Rate {
        let begin = Instant::now();
        let puts = self.put_small(writers, move || begin.elapsed() < TIME);
        Rate { per_s: puts as f64 / begin.elapsed().as_secs_f64(), unit: Unit::Operations }
    }

    /// Streams one large shard as the gateway does: a few cells at a time, with checksums computed on the way.
    pub(crate) async fn put_large(&self) {
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
    pub(crate) fn put_large_round(self: &Arc<Self>) -> Rate {
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
    pub(crate) fn read_rate(self: &Arc<Self>, readers: u64) -> Rate {
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
    pub(crate) async fn read_small(&self, dice: &mut Dice) {
        let id = small_id(dice.roll(self.small.load(Ordering::Relaxed)));
        let cells = self.store.read_cells(id, small_geometry(), 0..1).await.unwrap();
        assert!(cells[0].verify(id.cell(0)));
    }
}

fn shard_id(session: u64, counter: u64) -> ShardId {
    ShardId { extent: ExtentId::new(SessionId(session), counter), index: 0 }
}

pub(crate) fn small_id(counter: u64) -> ShardId {
    shard_id(1, counter)
}

fn small_geometry() -> Geometry {
    Geometry { data_shards: 1, parity_shards: 2, cell_bytes: CELL_BYTES_DEFAULT, length: SMALL as u64 }
}

fn header(id: ShardId, geometry: Geometry) -> ShardHeader {
    ShardHeader { id, profile: ProfileId(1), geometry, descriptor: Bytes::from_static(&[7; 200]) }
}
