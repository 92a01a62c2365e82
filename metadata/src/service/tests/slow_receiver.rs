//! Those who receive a copy of the state slowly: a member, and somebody who reads a backup. Nothing waits for them.

use axum::extract::Request;
use axum::routing::post;
use cairn_protocol::rpc::{answer, receive_allowed};
use openraft::network::{RPCOption, RaftNetwork};
use tokio::sync::Semaphore;

use super::replication::peer;
use super::*;
use crate::raft::message::MESSAGE_BYTES_MAX;
use crate::raft::{Vote, snapshot_builder};

/// Commits while somebody is slow.
const COMMITS: u64 = 1000;
/// What a commit may add to the state's file: rows, and what the engine keeps free for the next ones.
const GROWTH_MAX: u64 = 8 << 10;

/// A member that takes a chunk of a snapshot for each permit of `turns`.
async fn serve_slow_receiver(arrived: Arc<Semaphore>, turns: Arc<Semaphore>) -> String {
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let take = post(move |request: Request| async move {
        let Ok(chunk) = receive_allowed::<SnapshotChunk, _>(request, MESSAGE_BYTES_MAX).await else { panic!() };
        arrived.add_permits(1);
        turns.acquire().await.unwrap().forget();
        let unavailable = |_: &Stopped| http::StatusCode::SERVICE_UNAVAILABLE;
        answer::<_, _, axum::body::Body>(&Ok::<_, Stopped>(ChunkTaken { vote: chunk.vote }), unavailable)
    });
    let app = axum::Router::new().route(RaftPath::SNAPSHOT, take);
    tokio::spawn(cairn_protocol::rpc::testing::serve(listener, SECRET, app));
    addr
}

/// Bytes by which the state's file grows with each of [`COMMITS`] that write the same key.
async fn growth(metadata: &Handle, dir: &Path, session: SessionId, first: u64) -> u64 {
    let bytes = || std::fs::metadata(dir.join("state.redb")).unwrap().len();
    let before = bytes();
    for n in first..first + COMMITS {
        metadata.run(commit(session, 10 * n, "key")).await.unwrap();
    }
    (bytes() - before) / COMMITS
}

/// I21: however slowly a member takes a snapshot, and whoever reads a backup, the state grows by what is written only.
#[tokio::test(flavor = "multi_thread")]
async fn the_state_does_not_grow_for_those_who_receive_it_slowly() {
    let dir = TempDir::new().unwrap();
    let metadata = start_with(
        Options { session_lease: Duration::from_hours(1), ..options(dir.path()) },
        StorageDirectory::new(rpc(SECRET)),
    )
    .await;
    let session = prepare(&metadata).await;
    println!("nobody waits: {} bytes a commit", growth(&metadata, dir.path(), session, 0).await);

    let (arrived, turns) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let mut peer = peer(serve_slow_receiver(Arc::clone(&arrived), Arc::clone(&turns)).await).await;
    let snapshot = snapshot_builder::take(metadata.machine()).unwrap();
    let sending = tokio::spawn(async move {
        let (vote, option) = (Vote::new_committed(1, MemberId(1)), RPCOption::new(Duration::from_mins(1)));
        peer.full_snapshot(vote, snapshot, std::future::pending(), option).await
    });
    arrived.acquire().await.unwrap().forget();
    let slow_member = growth(&metadata, dir.path(), session, COMMITS).await;
    println!("a snapshot is on its way: {slow_member} bytes a commit");
    turns.add_permits(100);
    sending.await.unwrap().unwrap();
    assert!(slow_member < GROWTH_MAX, "{slow_member} bytes a commit while a member takes a snapshot");

    let mut backup = metadata.backup().await.unwrap();
    let slow_reader = growth(&metadata, dir.path(), session, 2 * COMMITS).await;
    println!("a backup is being read: {slow_reader} bytes a commit");
    while backup.next_piece().unwrap().is_some() {}
    assert!(slow_reader < GROWTH_MAX, "{slow_reader} bytes a commit while a backup is read");
}
