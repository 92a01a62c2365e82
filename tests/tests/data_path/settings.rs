//! Writes that were decided by an old record of their bucket, and how often the metadata service is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::name::ObjectKey;
use cairn_core::testing::TestClock;
use cairn_core::version::{VersionId, Versioning};
use cairn_gateway::buckets::{BucketRecords, LEASE};
use cairn_protocol::metadata::command::{
    CommitObject, CreateBucket, DeleteBucket, DeleteObject, ObjectCommitted, Precondition, SetBucketSetting,
    SettingChange,
};
use cairn_protocol::metadata::query::GetBucketSettings;
use cairn_protocol::metadata::settings::{BucketRecord, SettingDocument, SettingKind};
use cairn_protocol::metadata::{
    Answer, Command, Metadata, MetadataError, MetadataExt, Outcome, PlacedRun, Query, Rejection, Signal, SignalAnswer,
};
use cairn_tests::Content;

use crate::cluster::{Cluster, Pieces};

/// The real service, with its calls counted.
#[derive(Clone)]
struct Counted {
    metadata: cairn_metadata::Handle,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    commands: AtomicU64,
    queries: AtomicU64,
    /// Somebody changes a setting before each command.
    restless: AtomicBool,
}

impl Counted {
    fn new(metadata: cairn_metadata::Handle) -> Self {
        Self { metadata, calls: Arc::default() }
    }

    /// Commands and queries since the last time.
    fn take(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (take(&self.calls.commands), take(&self.calls.queries))
    }
}

#[async_trait]
impl Metadata for Counted {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        self.calls.commands.fetch_add(1, Ordering::Relaxed);
        if self.calls.restless.load(Ordering::Relaxed)
            && let Command::CommitObject(commit) = &command
        {
            let change = SettingChange::Versioning(Versioning::Enabled);
            let set = SetBucketSetting { bucket: commit.bucket.clone(), change, revision: None, now_ms: 0 };
            self.metadata.run(set).await?;
        }
        self.metadata.execute(command).await
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.calls.queries.fetch_add(1, Ordering::Relaxed);
        self.metadata.query(query).await
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        self.metadata.signal(signal).await
    }
}

/// A cluster whose gateway's calls are counted from here on.
async fn start() -> (Cluster, Counted, Arc<TestClock>) {
    let mut cluster = Cluster::start(3).await;
    let (counted, clock) = (Counted::new(cluster.metadata.clone()), Arc::new(TestClock::still()));
    let metadata: Arc<dyn Metadata> = Arc::new(counted.clone());
    cluster.path.buckets = Arc::new(BucketRecords::new(Arc::clone(&metadata), clock.clone()));
    cluster.path.metadata = metadata;
    (cluster, counted, clock)
}

/// Writes a body and commits it as the gateway does; returns where it went and the answer.
async fn put(cluster: &Cluster, key: &str) -> (PlacedRun, Result<ObjectCommitted, MetadataError>) {
    let content = Content::new(7, 40_000);
    let written = cluster.write(key, content, Pieces::new(content)).await.unwrap();
    let session = written.session;
    let placed = written.into_placed().unwrap();
    let command = cluster.commit(key, session, &placed);
    let decide = move |record: &BucketRecord| CommitObject { revision: Some(record.revision), ..command.clone() };
    let outcome = cluster.path.commit_in(cluster.bucket(), decide, session, Some(placed.clone())).await;
    (placed, outcome)
}

async fn set(cluster: &Cluster, change: SettingChange) {
    let set = SetBucketSetting { bucket: cluster.bucket(), change, revision: None, now_ms: 0 };
    cluster.metadata.run(set).await.unwrap();
}

async fn in_force(cluster: &Cluster) -> BucketRecord {
    let query = GetBucketSettings { bucket: cluster.bucket(), known: None };
    cluster.metadata.ask(query).await.unwrap().unwrap().record
}

async fn shards(cluster: &Cluster) -> usize {
    cluster.inventory().await.len()
}

/// I19: another gateway has enabled versioning. The write is committed under it, from the shards that it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_by_an_old_record_is_decided_again_and_keeps_its_shards() {
    let (cluster, counted, _) = start().await;
    put(&cluster, "first").await.1.unwrap();
    assert_eq!(counted.take(), (1, 1), "the record is asked for once");
    put(&cluster, "second").await.1.unwrap();
    assert_eq!(counted.take(), (1, 0), "a known record costs no call");
    let before = shards(&cluster).await;
    set(&cluster, SettingChange::Versioning(Versioning::Enabled)).await;
    let (placed, outcome) = put(&cluster, "third").await;
    assert_eq!(counted.take(), (2, 0), "refused, and sent again by the record in the refusal");
    assert!(matches!(outcome.unwrap().version, Some(VersionId::Commit(_))), "under the settings in force");
    let written: usize = placed.extents.iter().map(|extent| extent.locations.iter().flatten().count()).sum();
    assert_eq!(shards(&cluster).await, before + written, "no shard was sent twice, and none was discarded");
    cluster.check("third", Content::new(7, 40_000), 0..40_000, "decided twice").await;
    put(&cluster, "fourth").await.1.unwrap();
    assert_eq!(counted.take(), (1, 0));
    // A document that has changed is fetched with one question.
    let document = Some(SettingDocument { format: 1, bytes: vec![0x80] });
    set(&cluster, SettingChange::Document(SettingKind::LIFECYCLE, document)).await;
    put(&cluster, "fifth").await.1.unwrap();
    assert_eq!(counted.take(), (2, 1));
}

/// I19: what was decided for a bucket never takes effect in another one of the same name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_was_made_again_is_another_one() {
    let (cluster, counted, _) = start().await;
    let bucket = cluster.bucket();
    set(&cluster, SettingChange::Versioning(Versioning::Suspended)).await;
    let old = cluster.path.buckets.for_read(&bucket).await.unwrap();
    let delete = || DeleteBucket { name: bucket.clone(), revision: None };
    cluster.metadata.run(delete()).await.unwrap();
    counted.take();
    let gone = put(&cluster, "gone").await.1;
    assert_eq!(gone.unwrap_err(), MetadataError::Rejected(Rejection::NoSuchBucket));
    assert_eq!(counted.take(), (1, 0));
    let gone = cluster.path.buckets.for_read(&bucket).await.map(|_| ());
    assert_eq!(gone, Err(MetadataError::Rejected(Rejection::NoSuchBucket)), "its record is forgotten");
    cluster.metadata.run(CreateBucket { name: bucket.clone(), region: String::new() }).await.unwrap();
    let known = cluster.path.buckets.for_read(&bucket).await.unwrap();
    assert!(known.record.id > old.record.id);
    cluster.metadata.run(delete()).await.unwrap();
    cluster.metadata.run(CreateBucket { name: bucket.clone(), region: String::new() }).await.unwrap();
    // By the record of the deleted bucket a key would be deleted here.
    let stale = DeleteObject {
        bucket: bucket.clone(),
        key: ObjectKey::new("key").unwrap(),
        precondition: Precondition::default(),
        version: None,
        revision: Some(known.record.revision),
    };
    let refused = cluster.metadata.run(stale).await.unwrap_err();
    assert_eq!(refused, MetadataError::Rejected(Rejection::StaleSettings(in_force(&cluster).await)));
    counted.take();
    assert_eq!(put(&cluster, "key").await.1.unwrap().version, None, "the new bucket was never versioned");
    assert_eq!(counted.take(), (2, 0));
}

/// The settings change before each attempt: the write ends with *no*, and leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_settings_keep_changing_is_given_up() {
    let (cluster, counted, _) = start().await;
    put(&cluster, "first").await.1.unwrap();
    let before = shards(&cluster).await;
    counted.take();
    counted.calls.restless.store(true, Ordering::Relaxed);
    let error = put(&cluster, "second").await.1.unwrap_err();
    assert!(error.is_definite_no(), "{error}");
    assert_eq!(counted.take(), (8, 0));
    cairn_tests::eventually("its shards are discarded", crate::cluster::LIMIT, async || {
        let found = shards(&cluster).await;
        if found == before { Ok(()) } else { Err(format!("{found} shards instead of {before}")) }
    })
    .await;
}

/// A read is decided by a record that was in force at most [`LEASE`] ago.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_decides_reads_for_its_lease_and_no_longer() {
    let (cluster, counted, clock) = start().await;
    let (bucket, buckets) = (cluster.bucket(), Arc::clone(&cluster.path.buckets));
    let first = buckets.for_read(&bucket).await.unwrap();
    assert_eq!(counted.take(), (0, 1));
    set(&cluster, SettingChange::Versioning(Versioning::Enabled)).await;
    assert_eq!(buckets.for_read(&bucket).await.unwrap().record, first.record, "within the lease");
    assert_eq!(counted.take(), (0, 0));
    clock.advance(LEASE);
    assert_eq!(buckets.for_read(&bucket).await.unwrap().record.versioning, Versioning::Enabled);
    assert_eq!(counted.take(), (0, 1));
    clock.advance(LEASE + Duration::from_secs(1));
    let unchanged = buckets.for_read(&bucket).await.unwrap();
    assert_eq!((unchanged.record.clone(), counted.take()), (in_force(&cluster).await, (0, 1)));
    buckets.for_read(&bucket).await.unwrap();
    assert_eq!(counted.take(), (0, 0), "`unchanged` begins a lease, too");
}
