//! Tests on the real service: real files, real Raft, real HTTP between members.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::cell::Cell;
use cairn_core::cluster_map::{DiskState, Labels};
use cairn_core::etag::ETag;
use cairn_core::geometry::Geometry;
use cairn_core::id::MemberId;
use cairn_core::id::{DiskId, DiskNumber, Epoch, ExtentId, NodeId, ProfileId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::release::Release;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::{
    CommitObject, CreateBucket, DeleteObject, DiskRegistration, OpenSession, Precondition, RegisterNode,
};
use cairn_protocol::metadata::query::{
    ClassifyShards, GetBucketSettings, GetClusterMap, GetClusterStatus, GetObject, GetRepairQueue, GetVerification,
    VerifyReport,
};
use cairn_protocol::metadata::{
    ExtentRun, Metadata, MetadataError, MetadataExt, PlacedExtent, PlacedRun, Rejection, Signal, SignalAnswer,
};
use cairn_protocol::net::testing::LoopbackNetwork;
use cairn_protocol::net::{Listen, Listener};
use cairn_protocol::rpc::testing::client_of;
use cairn_protocol::rpc::{HttpMetadata, MetadataFailure, Roles, RpcClient};
use cairn_protocol::storage::{
    DeleteOrder, DeleteProof, DiskStatus, NodeStatus, RebuildOrder, RebuildReport, SeenCommit, ShardWriter,
    StorageDirectory, StorageError, StorageErrorKind, StorageNode,
};
use std::sync::Mutex;
use tempfile::TempDir;

use self::nodes::{Deletions, node, node_status, registration};
use crate::raft::fitness::STATE_FORMAT;
use crate::raft::message::{COMMAND_BYTES_MAX, ChunkTaken, RaftPath, SnapshotChunk, Stopped};
use crate::raft::snapshot::{self, Position, SnapshotData, StreamHash};
use crate::space::testing::roomy;
use crate::state::tables::TABLES_OPENED;
use crate::testing::{TestClock, TestRandom};
use crate::{Dependencies, Handle, MetadataService, Options, router};
use cairn_core::testing::TestThreads;

mod elections;
mod full_disk;
mod levels;
mod lost_lead;
mod members;
mod nodes;
mod replication;
mod slow_receiver;
mod snapshot_senders;
mod unknown;

const SECRET: &str = "a secret of the cluster";

pub(crate) fn options(dir: &Path) -> Options {
    Options { tick: Duration::from_millis(20), cache_bytes: 4 << 20, reserve_bytes: 1 << 20, ..Options::new(dir) }
}

pub(crate) fn rpc(secret: &str) -> RpcClient {
    client_of(secret, Roles::ANY)
}

pub(crate) async fn start_with(options: Options, storage: StorageDirectory) -> Handle {
    let (clock, random) = (TestClock::new(), Arc::new(TestRandom));
    let dependencies = Dependencies { clock, random, threads: Arc::new(TestThreads), storage, rpc: rpc(SECRET) };
    MetadataService::start(options, dependencies).await.unwrap()
}

pub(crate) async fn start(dir: &Path) -> Handle {
    start_with(options(dir), StorageDirectory::new(rpc(SECRET))).await
}

pub(crate) fn bucket() -> BucketName {
    BucketName::new("photos").unwrap()
}

pub(crate) async fn prepare(metadata: &impl Metadata) -> SessionId {
    metadata.run(CreateBucket { name: bucket(), region: String::new() }).await.unwrap();
    metadata
        .run(OpenSession { gateway: NodeId::from_random([1; 16]), release: Release::current(), name: None })
        .await
        .unwrap()
}

pub(crate) fn commit(session: SessionId, counter: u64, key: &str) -> CommitObject {
    let run = ExtentRun { first: ExtentId::new(session, counter), size: 100, extent_bytes: 64 };
    let place = |length| PlacedExtent {
        profile: ProfileId(1),
        geometry: Geometry { data_shards: 1, parity_shards: 1, cell_bytes: 16, length },
        locations: vec![Some(DiskNumber(1)), Some(DiskNumber(2))],
    };
    CommitObject {
        session,
        bucket: bucket(),
        key: ObjectKey::new(key).unwrap(),
        body: Some(PlacedRun { run, extents: vec![place(64), place(36)] }),
        etag: ETag::single([3; 16]),
        headers: Vec::new(),
        checksum: None,
        precondition: Precondition::default(),
        storage_class: StorageClass::Standard,
        revision: None,
    }
}

pub(crate) fn get(key: &str) -> GetObject {
    GetObject {
        bucket: bucket(),
        key: ObjectKey::new(key).unwrap(),
        part: None,
        range: None,
        extents: 8,
        version: None,
    }
}

/// Waits until `holds`, for as long as a slow machine may need.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_read_at_once_and_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let session = prepare(&metadata).await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..200 {
        let metadata = metadata.clone();
        writers.spawn(async move {
            let key = format!("key{n}");
            let committed = metadata.run(commit(session, 10 * n, &key)).await.unwrap();
            let view = metadata.ask(get(&key)).await.unwrap();
            assert_eq!((view.version.sequence, view.located.len()), (committed.sequence, 2));
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let cluster = metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap().cluster;
    metadata.shutdown().await;
    let metadata = start(dir.path()).await;
    for n in 0..200 {
        assert_eq!(metadata.ask(get(&format!("key{n}"))).await.unwrap().version.size, 100);
    }
    let status = metadata.ask(GetClusterStatus {}).await.unwrap();
    assert_eq!((status.buckets, status.objects, status.object_bytes), (1, 200, 20_000));
    assert_eq!(metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap().cluster, cluster);
}

/// The files as they are now, in a directory of their own.
pub(crate) fn kill_image(metadata: &Handle, dir: &Path) -> TempDir {
    let image = TempDir::new().unwrap();
    let held = metadata.machine().hold();
    for file in ["identity", "log.redb", "state.redb"] {
        std::fs::copy(dir.join(file), image.path().join(file)).unwrap();
    }
    drop(held);
    image
}

/// A copy of the files as they are is what `kill -9` leaves: the state lags behind the log and is applied again (I1).
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_member_applies_its_log_again() {
    let dir = TempDir::new().unwrap();
    // Without time there is no sync by interval.
    let (random, storage) = (Arc::new(TestRandom), StorageDirectory::new(rpc(SECRET)));
    let dependencies =
        Dependencies { clock: TestClock::frozen(), random, threads: Arc::new(TestThreads), storage, rpc: rpc(SECRET) };
    let metadata = MetadataService::start(options(dir.path()), dependencies).await.unwrap();
    let session = prepare(&metadata).await;
    for n in 0..50 {
        metadata.run(commit(session, 10 * n, &format!("key{n}"))).await.unwrap();
    }
    let image = kill_image(&metadata, dir.path());
    let lagging = {
        let copy = TempDir::new().unwrap();
        std::fs::copy(image.path().join("state.redb"), copy.path().join("state.redb")).unwrap();
        let path = copy.path().join("state.redb");
        let machine = crate::raft::machine::Machine::open(&path, false, 1 << 20, TestClock::new(), &roomy()).unwrap();
        machine.commit()
    };
    assert!(lagging < metadata.commit(), "the image is one of a state that lags");
    let revived = start(image.path()).await;
    for n in 0..50 {
        assert_eq!(revived.ask(get(&format!("key{n}"))).await.unwrap().version.size, 100, "key{n}");
    }
    assert_eq!(revived.ask(GetClusterStatus {}).await.unwrap().objects, 50);
    assert!(revived.commit() >= metadata.commit(), "I15: the order of commits never goes back");
}

/// I15: a store that was put back from a copy and has gone on past what a storage node has seen names another history.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_put_back_is_told_from_the_one_that_went_on() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let session = prepare(&metadata).await;
    let heartbeat = async |metadata: &Handle, seen: Option<&SignalAnswer>| {
        let seen = seen.map(|seen| SeenCommit { commit: seen.commit, history: seen.history });
        let status = NodeStatus { seen: seen.into_iter().collect(), ..node_status(DiskState::Active) };
        metadata.signal(Signal::Heartbeat(status)).await.unwrap()
    };
    let first = heartbeat(&metadata, None).await;
    assert!(first.history.is_some() && first.history_then.is_none());
    let copy = kill_image(&metadata, dir.path());
    for n in 0..5 {
        metadata.run(commit(session, 10 * n, "key")).await.unwrap();
    }
    let seen = heartbeat(&metadata, Some(&first)).await;
    assert_eq!(seen.history_then, first.history);
    metadata.shutdown().await;
    let real = start(dir.path()).await;
    let after_a_restart = heartbeat(&real, Some(&seen)).await;
    assert_eq!(after_a_restart.history_then, seen.history, "a restart is another term of the same history");
    assert_ne!(after_a_restart.history, seen.history);

    let put_back = start(copy.path()).await;
    let session = put_back
        .run(OpenSession { gateway: NodeId::from_random([3; 16]), release: Release::current(), name: None })
        .await
        .unwrap();
    for n in 0..50 {
        put_back.run(commit(session, 10 * n, "key")).await.unwrap();
    }
    assert!(put_back.commit() > seen.commit, "by its number it is newer");
    let other = heartbeat(&put_back, Some(&seen)).await;
    assert!(other.history_then.is_some() && other.history_then != seen.history);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_purged_only_behind_the_synced_state() {
    let dir = TempDir::new().unwrap();
    let few = || Options { snapshot_entries: 20, ..options(dir.path()) };
    let metadata = start_with(few(), StorageDirectory::new(rpc(SECRET))).await;
    let session = prepare(&metadata).await;
    for n in 0..600 {
        metadata.run(commit(session, 10 * n, "key")).await.unwrap();
    }
    eventually("the log is purged", async || metadata.member.raft.metrics().borrow().purged.is_some()).await;
    let image = kill_image(&metadata, dir.path());
    let revived = start(image.path()).await;
    let status = revived.ask(GetClusterStatus {}).await.unwrap();
    assert_eq!((status.objects, status.reclaim_entries), (1, 599));
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_gateways_lose_their_sessions_and_others_keep_them() {
    let dir = TempDir::new().unwrap();
    let short = Options { session_lease: Duration::from_millis(400), ..options(dir.path()) };
    let metadata = start_with(short, StorageDirectory::new(rpc(SECRET))).await;
    let silent = prepare(&metadata).await;
    let lively = metadata
        .run(OpenSession { gateway: NodeId::from_random([2; 16]), release: Release::current(), name: None })
        .await
        .unwrap();
    let (disk, shard) = (DiskId::from_random([1; 16]), ShardId { extent: ExtentId::new(silent, 7), index: 0 });
    eventually("the silent session ends", async || {
        assert!(metadata.signal(Signal::RenewSession(lively)).await.unwrap().session_valid);
        metadata.ask(ClassifyShards { disk, shards: vec![shard] }).await.unwrap() == [true]
    })
    .await;
    let late = metadata.run(commit(silent, 7, "a")).await;
    assert_eq!(late, Err(MetadataError::Rejected(Rejection::SessionEnded(silent))));
    assert!(!metadata.signal(Signal::RenewSession(silent)).await.unwrap().session_valid);
    metadata.run(commit(lively, 1, "a")).await.unwrap();
}

/// I20: a wall clock that jumps back and forth by years expires nothing and holds nothing up.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_wall_clock_changes_only_timestamps() {
    let dir = TempDir::new().unwrap();
    let (clock, random, storage) = (TestClock::new(), Arc::new(TestRandom), StorageDirectory::new(rpc(SECRET)));
    storage.add_local(node(), Arc::new(Deletions::default()));
    let dependencies = Dependencies {
        clock: Arc::clone(&clock) as _,
        random,
        threads: Arc::new(TestThreads),
        storage,
        rpc: rpc(SECRET),
    };
    let grace = Options { reclaim_grace: Duration::from_millis(100), ..options(dir.path()) };
    let metadata = MetadataService::start(grace, dependencies).await.unwrap();
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    for (n, years) in [(0, 56), (1, 5), (2, 99)] {
        clock.set_wall_ms(years * 365 * 86_400_000);
        let committed = metadata.run(commit(session, 10 * n, "a")).await.unwrap();
        assert_eq!(metadata.ask(get("a")).await.unwrap().version.sequence, committed.sequence);
        assert_eq!(committed.last_modified_ms, years * 365 * 86_400_000);
    }
    eventually("both replaced contents are reclaimed", async || {
        metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
        metadata.ask(GetClusterStatus {}).await.unwrap().reclaim_entries == 0
    })
    .await;
    assert!(metadata.signal(Signal::RenewSession(session)).await.unwrap().session_valid);
}

/// Serves a member on a port of its own.
fn serve(handle: &Handle, listener: Box<dyn Listener>) -> tokio::task::JoinHandle<()> {
    let app = router(handle.clone());
    tokio::spawn(cairn_protocol::rpc::testing::serve(listener, SECRET, app))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_reached_over_the_network_by_those_who_know_the_secret() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = serve(&metadata, listener);
    let client = HttpMetadata::new(rpc(SECRET), vec!["127.0.0.1:1".into(), addr.clone()], &TestRandom);
    let session = prepare(&client).await;
    client.run(commit(session, 0, "a")).await.unwrap();
    assert_eq!(client.ask(get("a")).await.unwrap().located.len(), 2);
    assert_eq!(client.ask(get("b")).await, Err(MetadataError::Rejected(Rejection::NoSuchKey)));
    assert!(client.signal(Signal::RenewSession(session)).await.unwrap().session_valid);
    let path = cairn_protocol::rpc::MetadataPath::QUERY.direct;
    let query = cairn_protocol::metadata::Query::from(get("a"));
    let stranger = rpc("another secret").send_message(&addr, path, &query).await.unwrap_err();
    assert!(stranger.is_definite_no(), "I22: {stranger}");
    let node = client_of(SECRET, Roles::STORAGE_NODE).send_message(&addr, path, &query).await.unwrap();
    assert_eq!(node.status(), 403, "a storage node reads no namespace");
    server.abort();
}

/// I30, and transfers that go on where the connection broke.
#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_a_snapshot_are_taken_once_and_newer_formats_refused() {
    let (source_dir, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = start(source_dir.path()).await;
    let session = prepare(&source).await;
    for n in 0..20 {
        source.run(commit(session, 10 * n, &format!("key{n}"))).await.unwrap();
    }
    let target = start(dir.path()).await;
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = serve(&target, listener);
    let taken = crate::raft::snapshot_builder::take(source.machine()).unwrap();
    let SnapshotData::Live(live) = *taken.snapshot else { panic!() };
    let (records, rest) = snapshot::chunk(&live.view, Position::default()).unwrap();
    assert!(rest.is_none());
    let whole = StreamHash::default().after(&records, false);
    let chunk = |number, last, records: &[u8], format| SnapshotChunk {
        hash: if number == 0 { StreamHash::default() } else { whole }.after(records, last),
        vote: crate::raft::Vote::new_committed(99, MemberId(9)).into(),
        applied: taken.meta.last_log_id.map(Into::into),
        membership: (&taken.meta.last_membership).into(),
        id: taken.meta.snapshot_id.clone(),
        number,
        last,
        records: records.to_vec(),
        format,
        attempt: None,
    };
    let send = async |message: SnapshotChunk| {
        let limit = Duration::from_secs(10);
        rpc(SECRET).call::<_, ChunkTaken, Stopped>(&addr, RaftPath::SNAPSHOT, &message, limit).await.unwrap()
    };
    let newer = send(chunk(0, true, &records, Some(STATE_FORMAT + 1))).await.unwrap_err();
    let named = format!("format version {}", STATE_FORMAT + 1);
    assert!(newer.detail.contains(&named) && newer.detail.contains("install the newer"), "{newer}");
    let older = send(chunk(0, true, &records, Some(STATE_FORMAT - 1))).await.unwrap_err();
    assert!(older.detail.contains("does not convert it"), "{older}");
    send(chunk(0, false, &records, Some(STATE_FORMAT))).await.unwrap();
    assert!(send(chunk(2, true, &[], Some(STATE_FORMAT))).await.is_err(), "a chunk is missing");
    for _ in 0..2 {
        send(chunk(0, false, &records, Some(STATE_FORMAT))).await.unwrap();
    }
    // The answer to the last one is lost, too.
    for _ in 0..2 {
        send(chunk(1, true, &[], None)).await.unwrap();
    }
    assert_eq!(target.machine().applied(), taken.meta.last_log_id);
    server.abort();
}

/// I39: the state lies on a disk. Raft's heartbeats do not wait for it: nothing reads it on the threads that run tasks, of which
/// there is one here.
#[tokio::test]
async fn no_task_waits_for_the_disk_that_the_state_lies_on() {
    let dir = TempDir::new().unwrap();
    let storage = StorageDirectory::new(rpc(SECRET));
    storage.add_local(node(), Arc::new(Deletions::default()));
    let quick = Options { reclaim_grace: Duration::ZERO, ..options(dir.path()) };
    let metadata = start_with(quick, storage).await;
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    for n in 0..2 {
        metadata.run(commit(session, 10 * n, "a")).await.unwrap();
    }
    metadata.ask(get("a")).await.unwrap();
    metadata.ask(GetBucketSettings { bucket: bucket(), known: None }).await.unwrap();
    metadata.ask(GetRepairQueue { limit: 10 }).await.unwrap();
    metadata.ask(GetVerification { start: true }).await.unwrap();
    assert!(metadata.signal(Signal::RenewSession(session)).await.unwrap().session_valid);
    assert_eq!(metadata.restore_hold().await.unwrap(), None);
    eventually("what was replaced is reclaimed", async || {
        metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
        metadata.ask(GetClusterStatus {}).await.unwrap().reclaim_entries == 0
    })
    .await;
    assert_eq!(TABLES_OPENED.get(), 0, "tables were opened on the thread that runs the tasks");
}

/// A command that fits into no message would keep everything after it from the other members.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_beyond_the_largest_message_is_refused() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let huge = CreateBucket { name: bucket(), region: "x".repeat(COMMAND_BYTES_MAX) };
    let refused = metadata.run(huge).await;
    assert!(matches!(refused, Err(MetadataError::Rejected(Rejection::LimitReached(_)))), "{refused:?}");
    assert_eq!(metadata.ask(GetClusterStatus {}).await.unwrap().buckets, 0);
}

/// A command that is sent again takes effect once, also after a restart (I19).
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_command_takes_effect_once() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let calls = cairn_protocol::rpc::Calls::new(&TestRandom);
    let create = CreateBucket { name: bucket(), region: String::new() };
    let call = calls.begin().await;
    let send = async |to: &Handle, repeated| {
        to.leader().execute_tagged(create.clone().into(), Some(call.tag(repeated))).await.map_err(MetadataFailure::from)
    };
    let first = send(&metadata, false).await.unwrap();
    assert_eq!(send(&metadata, true).await, Ok(first.clone()));
    let other = metadata.run(create.clone()).await;
    assert_eq!(other, Err(MetadataError::Rejected(Rejection::BucketExists)), "another command of the same kind");
    metadata.shutdown().await;
    let metadata = start(dir.path()).await;
    assert_eq!(send(&metadata, true).await, Ok(first));
}
