//! Two that send a member snapshots at a time: what a replaced leader or attempt has on its way arrives among the chunks of the
//! newer one.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::routing::post;
use cairn_protocol::rpc::{ClientId, answer, receive_allowed};
use openraft::Snapshot;
use openraft::network::{RPCOption, RaftNetwork};

use super::replication::peer;
use super::*;
use crate::directory::Directory;
use crate::raft::attempts::Attempt;
use crate::raft::message::MESSAGE_BYTES_MAX;
use crate::raft::{TypeConfig, Vote, snapshot_builder};

/// The two chunks in which `taken` is sent.
fn chunks(taken: &Snapshot<TypeConfig>, term: u64, number: u64) -> [SnapshotChunk; 2] {
    let SnapshotData::Live(live) = &*taken.snapshot else { panic!() };
    let (records, rest) = snapshot::chunk(&live.view, Position::default()).unwrap();
    assert!(rest.is_none());
    let first = StreamHash::default().after(&records, false);
    let chunk = |number_of_chunk: u32, records: Vec<u8>, hash| SnapshotChunk {
        vote: Vote::new_committed(term, MemberId(9)).into(),
        applied: taken.meta.last_log_id.map(Into::into),
        membership: (&taken.meta.last_membership).into(),
        id: taken.meta.snapshot_id.clone(),
        number: number_of_chunk,
        last: number_of_chunk == 1,
        records,
        format: Some(STATE_FORMAT),
        hash,
        attempt: Some(Attempt { process: ClientId::from_bytes([1; 16]), number }),
    };
    [chunk(0, records, first), chunk(1, Vec::new(), first.after(&[], true))]
}

/// I39: the newer one gets through, whatever the other still has on its way.
#[tokio::test(flavor = "multi_thread")]
async fn chunks_of_a_replaced_sender_do_not_touch_the_transfer() {
    let (source_dir, dir) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = start(source_dir.path()).await;
    let session = prepare(&source).await;
    let older = snapshot_builder::take(source.machine()).unwrap();
    source.run(commit(session, 0, "key")).await.unwrap();
    let newer = snapshot_builder::take(source.machine()).unwrap();
    let target = start(dir.path()).await;
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = serve(&target, listener);
    let send = async |message: &SnapshotChunk| {
        let limit = Duration::from_secs(10);
        rpc(SECRET).call::<_, ChunkTaken, Stopped>(&addr, RaftPath::SNAPSHOT, message, limit).await.unwrap()
    };
    let is_replaced = async |message: &SnapshotChunk| send(message).await.unwrap_err().is_replaced == Some(true);

    let ([first, _], [second, end]) = (chunks(&older, 99, 3), chunks(&newer, 99, 4));
    let [of_old_leader, _] = chunks(&newer, 98, 7);
    let stale = chunks(&older, 99, 3);
    send(&first).await.unwrap();
    send(&second).await.unwrap();
    for late in stale.iter().chain([&of_old_leader]) {
        assert!(is_replaced(late).await, "chunk {} of attempt {:?}", late.number, late.attempt);
    }
    send(&second).await.unwrap();
    assert!(send(&chunks(&newer, 100, 0)[1]).await.is_err(), "a newer leader begins with its first chunk");
    for _ in 0..2 {
        send(&end).await.unwrap();
    }
    assert_eq!(target.machine().applied(), newer.meta.last_log_id);
    assert!(is_replaced(&stale[1]).await, "it is replaced after the end, too");
    server.abort();
}

/// A member that follows another sender of snapshots.
async fn serve_replaced(asked: Arc<AtomicU64>) -> String {
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let refuse = post(move |request: Request| async move {
        let Ok(chunk) = receive_allowed::<SnapshotChunk, _>(request, MESSAGE_BYTES_MAX).await else { panic!() };
        asked.fetch_max(1 + chunk.attempt.unwrap().number, Ordering::Relaxed);
        let unavailable = |_: &Stopped| http::StatusCode::SERVICE_UNAVAILABLE;
        answer::<_, _, axum::body::Body>(&Err::<ChunkTaken, _>(Stopped::replaced()), unavailable)
    });
    let app = axum::Router::new().route(RaftPath::SNAPSHOT, refuse);
    tokio::spawn(cairn_protocol::rpc::testing::serve(listener, SECRET, app));
    addr
}

/// It begins again at once, as a newer attempt, instead of repeating what is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_attempt_is_followed_by_a_newer_one() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let asked = Arc::new(AtomicU64::new(0));
    let mut peer = peer(serve_replaced(Arc::clone(&asked)).await).await;
    for attempts in 1..=3 {
        let taken = snapshot_builder::take(metadata.machine()).unwrap();
        let (vote, option) = (Vote::new_committed(1, MemberId(1)), RPCOption::new(Duration::from_mins(1)));
        let sending = peer.full_snapshot(vote, taken, std::future::pending(), option);
        let sent = tokio::time::timeout(Duration::from_secs(3), sending).await.expect("it repeats the chunk");
        assert!(sent.is_err());
        assert_eq!(asked.load(Ordering::Relaxed), attempts);
    }
}

/// I3: Raft purges the log for a snapshot before that has become the state. A member that is killed in between goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_killed_between_the_purge_for_a_snapshot_and_its_installation_has_the_new_state() {
    let source_dir = TempDir::new().unwrap();
    let source = start(source_dir.path()).await;
    let session = prepare(&source).await;
    let dir = kill_image(&source, source_dir.path());
    for n in 0..200 {
        source.run(commit(session, 10 * n, "key")).await.unwrap();
    }
    let taken = snapshot_builder::take(source.machine()).unwrap();
    let target = start(dir.path()).await;
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = serve(&target, listener);
    let [first, end] = chunks(&taken, 99, 0);
    let send = async |message: SnapshotChunk, limit: Duration| {
        rpc(SECRET).call::<_, ChunkTaken, Stopped>(&addr, RaftPath::SNAPSHOT, &message, limit).await
    };
    send(first, Duration::from_secs(10)).await.unwrap().unwrap();
    let held = target.machine().hold();
    send(end.clone(), Duration::from_millis(500)).await.unwrap_err();
    eventually("the log is purged", async || target.member.log.purged() == taken.meta.last_log_id).await;
    assert!(target.machine().applied() < taken.meta.last_log_id);
    let image = TempDir::new().unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, image.path().join(path.file_name().unwrap())).unwrap();
    }
    drop(held);
    send(end, Duration::from_secs(10)).await.unwrap().unwrap();
    assert_eq!(target.machine().applied(), taken.meta.last_log_id);
    assert!(!dir.path().join("state.received").exists());
    server.abort();

    let drawn = cairn_core::id::Incarnation::from_bytes([5; 16]);
    let revived = Directory::open(&options(image.path()), TestClock::new(), &TestThreads, drawn).unwrap();
    assert_eq!(revived.machine.applied(), taken.meta.last_log_id);
}
