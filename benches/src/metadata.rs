//! What the benchmarks of the metadata service share: real time, ids, and the commit of a small object.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use cairn_core::clock::Clock;
use cairn_core::etag::ETag;
use cairn_core::geometry::Geometry;
use cairn_core::id::{DiskNumber, ExtentId, NodeId, ProfileId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::random::RandomSource;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::{CommandBody, CommitObject, CreateBucket, OpenSession, Precondition};
use cairn_protocol::metadata::{ExtentRun, Metadata, MetadataExt, PlacedExtent, PlacedRun};
use tokio::task::JoinSet;

/// The real clocks.
#[derive(Debug)]
pub struct RealClock(Instant);

impl RealClock {
    /// Clocks whose monotonic time begins now.
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    pub fn start() -> Arc<dyn Clock> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for RealClock {
    #[allow(clippy::disallowed_methods, reason = "a benchmark is a process of its own")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Counts: what is drawn is drawn once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

static DRAWN: AtomicU64 = AtomicU64::new(1);

impl RandomSource for Counting {
    fn bytes16(&self) -> [u8; 16] {
        let mut bytes = [7; 16];
        bytes[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}

/// The bucket of all objects.
///
/// # Panics
/// Never: the name is valid.
#[allow(clippy::unwrap_used, reason = "the name is valid")]
pub fn bucket() -> BucketName {
    BucketName::new("bench").unwrap()
}

/// Makes the bucket and opens a session.
///
/// # Panics
/// If the service fails.
#[allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
pub async fn prepare(metadata: &impl Metadata) -> SessionId {
    metadata.run(CreateBucket { name: bucket(), region: String::new() }).await.unwrap();
    metadata.run(OpenSession { gateway: NodeId::from_random([1; 16]) }).await.unwrap()
}

/// Commands under way while a bucket is filled.
const FILLERS: u64 = 512;

/// Runs `count` commands, as `make` has them by their numbers.
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
    }
}
