//! The node with real disks in temporary directories, and over real HTTP.

mod collection;
mod disks;

mod metadata;
mod rebuild;
mod remote;
mod scrub;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::cluster_map::DiskState;
use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskId, DiskNumber, ExtentId, ProfileId, SessionId};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::testing::{CountingRandom, TestClock, TestThreads};
use cairn_protocol::rpc::Roles;
use cairn_protocol::rpc::testing::client_of;
use cairn_protocol::storage::{DiskStatus, StorageDirectory, StorageNode};

use self::metadata::MemoryMetadata;
use super::{Dependencies, Handle, Options, StorageNodeService};

fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::real())
}

fn dependencies(metadata: &Arc<MemoryMetadata>) -> Dependencies {
    static SEED: AtomicU64 = AtomicU64::new(0);
    Dependencies {
        clock: clock(),
        random: Arc::new(CountingRandom::new(SEED.fetch_add(1, Ordering::Relaxed))),
        threads: Arc::new(TestThreads),
        metadata: Arc::clone(metadata) as _,
        peers: StorageDirectory::new(client_of("a secret", Roles::STORAGE_NODE)),
    }
}

fn options(directory: &Path, disks: usize) -> Options {
    let disks = (1..=disks).map(|n| directory.join(format!("disk{n}"))).collect();
    Options {
        reserve_bytes: Some(0),
        heartbeat_interval: Duration::from_millis(20),
        probe_interval: Duration::from_millis(20),
        ..Options::new(directory.join("storage-node"), disks, "test")
    }
}

fn start(directory: &Path, disks: usize, metadata: &Arc<MemoryMetadata>) -> Handle {
    StorageNodeService::start(options(directory, disks), dependencies(metadata)).unwrap()
}

/// Waits until the disks' states are as expected.
async fn wait_for(handle: &Handle, expected: &[DiskState]) -> Vec<DiskStatus> {
    wait(|| async {
        let disks = handle.status().await.unwrap().disks;
        let states: Vec<DiskState> = disks.iter().map(|disk| disk.state).collect();
        if states == expected { Ok(disks) } else { Err(disks) }
    })
    .await
}

/// Asks until the answer is good; fails after ten seconds.
async fn wait<T, E: std::fmt::Debug, F: Future<Output = Result<T, E>>>(mut ask: impl FnMut() -> F) -> T {
    for _ in 0..1000 {
        if let Ok(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still {:?}", ask().await.err());
}

fn shard(session: u64, counter: u64) -> ShardId {
    ShardId { extent: ExtentId::new(SessionId(session), counter), index: 1 }
}

fn content(id: ShardId, bytes: u64) -> (ShardHeader, Vec<Cell>) {
    let geometry = Geometry { data_shards: 1, parity_shards: 2, cell_bytes: 65_536, length: bytes };
    let cells = (0..geometry.stripes()).map(|stripe| {
        let seed = id.extent.counter + u64::from(stripe) + 1;
        let data: Vec<u8> = (0..u64::from(geometry.cell_length(stripe))).map(|i| ((i * seed) >> 2) as u8).collect();
        Cell::new(Bytes::from(data), id.cell(stripe))
    });
    let cells = cells.collect();
    (ShardHeader { id, profile: ProfileId(1), geometry, descriptor: Bytes::from_static(b"descriptor") }, cells)
}

async fn put(node: &dyn StorageNode, disk: DiskId, id: ShardId, bytes: u64) {
    let (header, cells) = content(id, bytes);
    node.put_shard(disk, header, cells).await.unwrap();
}

async fn check(node: &dyn StorageNode, disk: DiskId, id: ShardId, bytes: u64) {
    let (header, cells) = content(id, bytes);
    assert!(node.read_cells(disk, id, header.geometry, 0..cells.len() as u32).await.unwrap() == cells);
}
