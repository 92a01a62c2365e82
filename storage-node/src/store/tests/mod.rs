//! The store's promises, on a simulated disk and on a real one.

mod compaction;
mod crash;
mod damage;
mod faults;
mod identity;
mod index;
mod interleaving;
mod model;
mod queue;
mod read_faults;
mod roundtrip;
mod scrub;
mod small_disk;
mod space;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::geometry::Geometry;
use cairn_core::id::{ClusterId, CommitSequence, DiskId, ExtentId, ProfileId, SessionId};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::testing::{TestClock, TestThreads};
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageError, StorageErrorKind};

use super::{DiskCondition, DiskStore, ExpectedDisk, OpenError, ScrubOptions, StoreDependencies, StoreOptions};
use crate::disk_io::DiskIo;
use crate::disk_io::simulated::SimulatedDisk;
use crate::format::{DiskIdentity, IdentityBlock};

const PATH: &str = "disk1";

/// A clock that moves a millisecond with each look, and threads of the operating system.
pub(crate) fn dependencies() -> StoreDependencies {
    StoreDependencies { clock: Arc::new(TestClock::ticking(Duration::from_millis(1))), threads: Arc::new(TestThreads) }
}

fn identity() -> DiskIdentity {
    DiskIdentity { cluster: ClusterId::from_random([1; 16]), disk: DiskId::from_random([2; 16]), salt: [3; 32] }
}

fn options() -> StoreOptions {
    StoreOptions {
        volume_bytes: 256 << 10,
        reserve_bytes: 0,
        index_cache_bytes: 1 << 20,
        // Only on request: a test should know what reads its disk.
        scrub: ScrubOptions { period: Duration::ZERO, recheck_pause: Duration::ZERO, ..ScrubOptions::default() },
        tombstone_room_bytes: 16 << 10,
        // Tests compact explicitly.
        compact_interval: Duration::from_hours(1),
        ..StoreOptions::default()
    }
}

fn format(io: &dyn DiskIo) {
    super::format(io, PATH, &IdentityBlock { identity: identity(), created_ms: 1 }).unwrap();
}

fn open(io: &(impl DiskIo + Clone)) -> DiskStore {
    open_with(io, options())
}

fn open_with(io: &(impl DiskIo + Clone), options: StoreOptions) -> DiskStore {
    try_open(io, options).unwrap()
}

fn try_open(io: &(impl DiskIo + Clone), options: StoreOptions) -> Result<DiskStore, OpenError> {
    let DiskIdentity { cluster, disk, .. } = identity();
    let expected = ExpectedDisk { io: Arc::new(io.clone()), path: PATH.to_owned(), cluster, disk };
    DiskStore::open(expected, options, &dependencies())
}

fn formatted() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    format(&disk);
    disk
}

fn shard(counter: u64) -> ShardId {
    ShardId { extent: ExtentId::new(SessionId(7), counter), index: (counter % 3) as u8 }
}

/// A shard of `bytes` bytes in cells of 1,000, filled from its id and `version`.
fn content(id: ShardId, bytes: u64, version: u64) -> (ShardHeader, Vec<Cell>) {
    let geometry = Geometry { data_shards: 1, parity_shards: 2, cell_bytes: 1000, length: bytes };
    let cells = (0..geometry.stripes()).map(|stripe| {
        let seed = id.extent.counter * 31 + u64::from(stripe) * 7 + version * 13 + 1;
        let data: Vec<u8> = (0..u64::from(geometry.cell_length(stripe))).map(|i| ((i * seed) >> 3) as u8 | 1).collect();
        Cell::new(Bytes::from(data), id.cell(stripe))
    });
    let cells = cells.collect();
    (ShardHeader { id, profile: ProfileId(1), geometry, descriptor: Bytes::from_static(b"what it is") }, cells)
}

/// Waits for other threads.
async fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..4000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not happen");
}

async fn put(store: &DiskStore, id: ShardId, bytes: u64, version: u64) -> Result<(), StorageError> {
    let (header, cells) = content(id, bytes, version);
    store.put_shard(header, cells).await
}

/// Streams a shard in pieces of `step` cells.
async fn stream(store: &DiskStore, id: ShardId, bytes: u64, version: u64, step: usize) -> Result<(), StorageError> {
    let (header, cells) = content(id, bytes, version);
    let mut writer = store.open_shard(header).await?;
    for piece in cells.chunks(step) {
        writer.append(piece.to_vec()).await?;
    }
    writer.finish().await
}

async fn read(store: &DiskStore, id: ShardId, bytes: u64, stripes: Range<u32>) -> Result<Vec<Cell>, StorageError> {
    store.read_cells(id, content(id, bytes, 0).0.geometry, stripes).await
}

/// Reads the whole shard and compares every byte.
async fn check(store: &DiskStore, id: ShardId, bytes: u64, version: u64) {
    let (header, cells) = content(id, bytes, version);
    for start in (0..header.geometry.stripes()).step_by(64) {
        let stripes = start..header.geometry.stripes().min(start + 64);
        let read = store.read_cells(id, header.geometry, stripes.clone()).await.unwrap();
        assert!(read == cells[stripes.start as usize..stripes.end as usize], "{id} version {version}");
        assert!(stripes.zip(&read).all(|(stripe, cell)| cell.verify(id.cell(stripe))));
    }
}

async fn check_error(store: &DiskStore, id: ShardId, bytes: u64, expected: StorageErrorKind) {
    assert_eq!(read(store, id, bytes, 0..1).await.unwrap_err().kind, expected);
}

async fn delete(store: &DiskStore, ids: &[ShardId]) -> Result<(), StorageError> {
    let order = DeleteOrder { proof: DeleteProof::Committed(CommitSequence(1)), shards: ids.to_vec() };
    store.delete_shards(order).await
}

async fn all(store: &DiskStore) -> Vec<ShardId> {
    let mut found: Vec<ShardId> = Vec::new();
    loop {
        let page = store.inventory(found.last().copied(), 7).await.unwrap();
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

/// A repeatable stream of numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}
