//! Shared by the benchmarks of the metadata service: real time, and the commit of a small object.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_core::clock::Clock;
use cairn_core::etag::ETag;
use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskNumber, ExtentId, NodeId, ProfileId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::release::Release;
use cairn_core::storage_class::StorageClass;
use cairn_core::testing::{CountingRandom, TestClock};
use cairn_protocol::metadata::command::{CommandBody, CommitObject, CreateBucket, OpenSession, Precondition};
use cairn_protocol::metadata::{ExtentRun, Metadata, MetadataExt, PlacedExtent, PlacedRun};
use tokio::task::JoinSet;

/// Real time.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(TestClock::real())
}

/// Random values that no other source of this process draws.
pub fn random() -> CountingRandom {
    static SEED: AtomicU64 = AtomicU64::new(0);
    CountingRandom::new(SEED.fetch_add(1, Ordering::Relaxed))
}

/// The bucket of all objects.
///
/// # Panics
/// Never: the name is valid.
#[allow(clippy::unwrap_used, reason = "the name is valid")]
pub fn bucket() -> BucketName {
    BucketName::new("bench").unwrap()
}

/// Creates the bucket and opens a session.
///
/// # Panics
/// If the service fails.
#[allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
pub async fn prepare(metadata: &impl Metadata) -> SessionId {
    metadata.run(CreateBucket { name: bucket(), region: String::new() }).await.unwrap();
    metadata
        .run(OpenSession { gateway: NodeId::from_random([1; 16]), release: Release::current(), name: None })
        .await
        .unwrap()
}

/// Concurrent commands while a bucket is filled.
const FILLERS: u64 = 512;

/// Runs `count` commands, which `make` builds from their numbers.
///
/// # Panics
/// If one fails.
#[allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
pub async fn fill<M: Metadata + 'static, C: CommandBody + 'static>(
    metadata: &Arc<M>,
    count: u64,
    make: impl Fn(u64) -> C + Clone + Send + 'static,
) {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..FILLERS {
        let (metadata, next, make) = (Arc::clone(metadata), Arc::clone(&next), make.clone());
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return;
                }
                metadata.run(make(n)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

/// The commit of a 4 KiB object on three disks.
pub fn commit(session: SessionId, n: u64, key: ObjectKey) -> CommitObject {
    let geometry = Geometry { data_shards: 1, parity_shards: 2, cell_bytes: 65_536, length: 4096 };
    let locations = (0..3).map(|i| Some(DiskNumber(1 + ((n + i) % 6) as u32))).collect();
    let run = ExtentRun { first: ExtentId::new(session, n), size: 4096, extent_bytes: 64 << 20 };
    CommitObject {
        session,
        bucket: bucket(),
        key,
        body: Some(PlacedRun { run, extents: vec![PlacedExtent { profile: ProfileId(1), geometry, locations }] }),
        etag: ETag::single([3; 16]),
        headers: Vec::new(),
        checksum: None,
        precondition: Precondition::default(),
        storage_class: StorageClass::Standard,
        revision: None,
    }
}
