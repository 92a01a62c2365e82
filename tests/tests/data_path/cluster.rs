//! Metadata service, storage node and data path in one process, with faults between the last two.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cairn_core::clock::Clock;
use cairn_core::descriptor::Descriptor;
use cairn_core::etag::ETag;
use cairn_core::id::{DiskId, DiskNumber, NodeId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::random::RandomSource;
use cairn_core::range::ByteRange;
use cairn_core::shard::ShardId;
use cairn_core::storage_class::StorageClass;
use cairn_core::testing::TestThreads;
use cairn_gateway::data::{BodyDigest, BodySource, DataPath, DataPathOptions, ReadError, WriteError, WrittenBody};
use cairn_metadata::MetadataService;
use cairn_protocol::metadata::command::{CommitObject, CreateBucket, Precondition};
use cairn_protocol::metadata::query::{GetObject, GetRepairQueue, ObjectView, RepairEntry};
use cairn_protocol::metadata::{LocatedExtent, MetadataExt, PlacedRun};
use cairn_protocol::rpc::Roles;
use cairn_protocol::rpc::testing::client_of;
use cairn_protocol::storage::{StorageDirectory, StorageNode};
use cairn_server::SystemClock;
use cairn_storage_node::StorageNodeService;
use cairn_tests::{Content, Workdir, eventually};

use crate::faults::{Faults, FaultyNode};
use crate::metadata_faults::{CommitFaults, FaultyMetadata, LostRegistration};

/// Time limit for each wait.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Memory for all bodies.
pub(crate) const MEMORY_BYTES: u64 = 64 << 20;

/// The whole path without HTTP.
pub(crate) struct Cluster {
    pub(crate) path: DataPath,
    pub(crate) node: cairn_storage_node::Handle,
    pub(crate) metadata: cairn_metadata::Handle,
    pub(crate) faults: Faults,
    pub(crate) commits: CommitFaults,
    clock: Arc<TestClock>,
    bucket: BucketName,
    _workdir: Workdir,
}

/// The gateway's time: the real one plus what the test adds, so that a disk is forgiven without waiting.
struct TestClock {
    real: SystemClock,
    ahead_ms: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        self.real.now()
    }

    fn monotonic(&self) -> Duration {
        self.real.monotonic() + Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}

/// Ids that count.
struct Counter(AtomicU64);

impl RandomSource for Counter {
    fn bytes16(&self) -> [u8; 16] {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
    }
}

/// A body that comes in pieces of odd sizes, and may end early.
pub(crate) struct Pieces {
    content: Content,
    position: u64,
    end: u64,
}

impl Pieces {
    pub(crate) fn new(content: Content) -> Self {
        Self { content, position: 0, end: content.length }
    }

    /// A body that ends after `end` bytes.
    pub(crate) fn cut(content: Content, end: u64) -> Self {
        Self { content, position: 0, end }
    }
}

impl BodySource for Pieces {
    type Error = Infallible;

    async fn next(&mut self) -> Result<Option<Bytes>, Infallible> {
        // Lets other tasks run, as they do while a real body arrives.
        tokio::task::yield_now().await;
        let next = (self.position + 99_991).min(self.end);
        let piece = (next > self.position).then(|| self.content.slice(self.position..next));
        self.position = next;
        Ok(piece)
    }
}

/// Computes no digests, because these tests do not need them.
pub(crate) struct NoDigest;

impl BodyDigest for NoDigest {
    fn update(&mut self, _: &[u8]) {}
}

impl Cluster {
    /// A cluster of one node whose disks are all active. Repair is off, so that broken shards stay broken while a test reads
    /// them.
    pub(crate) async fn start(disks: u32) -> Self {
        Self::with_memory(disks, MEMORY_BYTES).await
    }

    /// The same, with `memory_bytes` for all bodies.
    pub(crate) async fn with_memory(disks: u32, memory_bytes: u64) -> Self {
        Self::with(disks, memory_bytes, |metadata, _| metadata.repair.running_max = 0).await
    }

    /// A cluster with other settings of the metadata service and the storage node.
    pub(crate) async fn with(
        disks: u32,
        memory_bytes: u64,
        set: impl FnOnce(&mut cairn_metadata::Options, &mut cairn_storage_node::Options),
    ) -> Self {
        let workdir = Workdir::new();
        let clock = Arc::new(SystemClock::new());
        let random = Arc::new(Counter(AtomicU64::new(1)));
        let rpc = client_of("only used between processes", Roles::ANY);
        let directory = StorageDirectory::new(rpc.clone());
        let dependencies = cairn_metadata::Dependencies {
            clock: clock.clone(),
            random: random.clone(),
            threads: Arc::new(TestThreads),
            storage: directory.clone(),
            rpc,
        };
        let mut service = cairn_metadata::Options::new(workdir.join("metadata"));
        let directories = (1..=disks).map(|n| workdir.join(format!("disk{n}"))).collect();
        let mut storage = cairn_storage_node::Options::new(workdir.join("storage-node"), directories, "node");
        storage.reserve_bytes = Some(1 << 20);
        set(&mut service, &mut storage);
        let metadata = MetadataService::start(service, dependencies).await.unwrap();
        let dependencies = cairn_storage_node::Dependencies {
            clock: clock.clone(),
            random: random.clone(),
            threads: Arc::new(TestThreads),
            metadata: Arc::new(LostRegistration::before(metadata.clone())),
            peers: directory.clone(),
        };
        let node = StorageNodeService::start(storage, dependencies).unwrap();
        let faults = Faults::default();
        directory.add_local(node.id(), Arc::new(FaultyNode::new(Arc::new(node.clone()), faults.clone())));
        let gateway = NodeId::from_random(random.bytes16());
        let options = DataPathOptions { gateway, name: String::new(), memory_bytes };
        let clock = Arc::new(TestClock { real: SystemClock::new(), ahead_ms: AtomicU64::new(0) });
        let commits = CommitFaults::none();
        let before_path = FaultyMetadata { inner: Arc::new(metadata.clone()), faults: commits.clone() };
        let path = DataPath::new(Arc::new(before_path), directory, &options, clock.clone());
        tokio::spawn(path.clone().keep_alive());
        let bucket = BucketName::new("bucket").unwrap();
        metadata.run(CreateBucket { name: bucket.clone(), region: String::new() }).await.unwrap();
        let cluster = Self { path, node, metadata, faults, commits, clock, bucket, _workdir: workdir };
        eventually("all disks are active", LIMIT, async || {
            let map = cluster.path.view.get().ok_or("no map")?;
            let node = cluster.node.status().await.map_err(|e| e.to_string())?;
            let in_map = map.disks.iter().filter(|d| d.state.takes_shards()).count();
            let on_node = node.disks.iter().filter(|d| d.state.takes_shards()).count();
            let ready = (in_map, on_node) == (disks as usize, disks as usize) && cluster.path.session.id().is_ok();
            if ready { Ok(()) } else { Err(format!("{in_map} in the map, {on_node} on the node")) }
        })
        .await;
        cluster
    }

    /// Ends all faults, and lets the gateway use the failed disks again.
    pub(crate) fn heal(&self) {
        self.faults.reads([]);
        self.faults.writes([]);
        self.clock.ahead_ms.fetch_add(60_000, Ordering::Relaxed);
    }

    pub(crate) fn bucket(&self) -> BucketName {
        self.bucket.clone()
    }

    /// The ids of all disks, ordered by their numbers.
    pub(crate) fn disks(&self) -> Vec<DiskId> {
        self.path.view.get().unwrap().disks.iter().map(|d| d.id).collect()
    }

    pub(crate) fn disk(&self, number: DiskNumber) -> DiskId {
        self.path.view.get().unwrap().disk(number).unwrap().id
    }

    /// Writes a body without committing it.
    pub(crate) async fn write(
        &self,
        key: &str,
        content: Content,
        mut source: Pieces,
    ) -> Result<WrittenBody<NoDigest>, WriteError<Infallible>> {
        let descriptor = self.descriptor(key, content);
        self.path.writer().write(&mut source, content.length, NoDigest, descriptor).await
    }

    pub(crate) fn descriptor(&self, key: &str, content: Content) -> Descriptor {
        Descriptor {
            bucket: self.bucket.clone(),
            key: ObjectKey::new(key).unwrap(),
            part: None,
            offset: 0,
            total_bytes: content.length,
            written_at_ms: 0,
            headers: Vec::new(),
            storage_class: StorageClass::Standard,
        }
    }

    pub(crate) async fn view(&self, key: &str) -> ObjectView {
        let key = ObjectKey::new(key).unwrap();
        let bucket = self.bucket.clone();
        let query = GetObject { bucket, key, part: None, range: None, extents: 64, version: None };
        self.metadata.ask(query).await.unwrap()
    }

    /// Whether there is such an object.
    pub(crate) async fn find(&self, key: &str) -> bool {
        let (bucket, key) = (self.bucket.clone(), ObjectKey::new(key).unwrap());
        let query = GetObject { bucket, key, part: None, range: None, extents: 0, version: None };
        self.metadata.ask(query).await.is_ok()
    }

    /// Writes and commits an object; returns where it went.
    pub(crate) async fn store(&self, key: &str, content: Content) -> PlacedRun {
        let written = self.write(key, content, Pieces::new(content)).await.unwrap();
        let session = written.session;
        let placed = written.into_placed().unwrap();
        self.metadata.run(self.commit(key, session, &placed)).await.unwrap();
        placed
    }

    /// The command that commits an object.
    pub(crate) fn commit(&self, key: &str, session: SessionId, placed: &PlacedRun) -> CommitObject {
        CommitObject {
            session,
            bucket: self.bucket.clone(),
            key: ObjectKey::new(key).unwrap(),
            body: Some(placed.clone()),
            etag: ETag::single([0; 16]),
            headers: Vec::new(),
            checksum: None,
            precondition: Precondition::default(),
            storage_class: StorageClass::Standard,
            revision: None,
        }
    }

    pub(crate) async fn located(&self, key: &str) -> Vec<LocatedExtent> {
        self.view(key).await.located
    }

    /// Reads a range batch by batch. On an error, also returns the bytes before it.
    pub(crate) async fn read(&self, key: &str, range: Range<u64>) -> (Vec<u8>, Result<(), ReadError>) {
        let query = GetObject {
            bucket: self.bucket.clone(),
            key: ObjectKey::new(key).unwrap(),
            part: None,
            range: Some(ByteRange::FromTo(range.start, range.end - 1)),
            extents: 4,
            version: None,
        };
        let view = self.metadata.ask(query).await.unwrap();
        let mut bytes = Vec::new();
        let result = async {
            let mut reader = self.path.read(view.version.content, range, view.located).await?;
            while let Some(batch) = reader.next_batch().await? {
                for piece in &batch {
                    bytes.extend_from_slice(piece);
                }
            }
            Ok(())
        };
        let result = result.await;
        (bytes, result)
    }

    /// Reads a range and demands the right bytes.
    pub(crate) async fn check(&self, key: &str, content: Content, range: Range<u64>, when: &str) {
        let (bytes, result) = self.read(key, range.clone()).await;
        if let Err(error) = result {
            panic!("{range:?} of {key}, {when}: {error}");
        }
        assert_eq!(bytes.len() as u64, range.end - range.start, "{range:?} of {key}, {when}");
        assert!(content.check(range.start, &bytes).is_ok(), "{range:?} of {key} has other bytes, {when}");
    }

    /// Every shard on every disk.
    pub(crate) async fn inventory(&self) -> Vec<(DiskId, ShardId)> {
        let mut all = Vec::new();
        for disk in self.disks() {
            let shards = self.node.inventory(disk, None, 10_000).await.unwrap();
            all.extend(shards.into_iter().map(|shard| (disk, shard)));
        }
        all
    }

    /// The shards that wait for repair.
    pub(crate) async fn repair_queue(&self) -> Vec<RepairEntry> {
        self.metadata.ask(GetRepairQueue { limit: 1000 }).await.unwrap()
    }
}
