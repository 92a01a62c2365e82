//! What a leader sends to a member that is slow to answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use axum::routing::post;
use cairn_core::id::Incarnation;
use cairn_core::testing::TestClock;
use cairn_protocol::rpc::{ClientId, answer, receive_allowed};
use openraft::error::RPCError;
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::AppendEntriesRequest;
use openraft::{BasicNode, CommittedLeaderId, EntryPayload, LogId};

use super::*;
use crate::raft::admission::{Admission, LocalMember};
use crate::raft::candidacy::Voice;
use crate::raft::message::{Append, Appended, MESSAGE_BYTES_MAX};
use crate::raft::network::{Network, Peer};
use crate::raft::pins::Pins;
use crate::raft::{TypeConfig, Vote};

/// A member that takes heartbeats and never gets to the end of anything else.
async fn serve_slow_member(beats: Arc<AtomicUsize>) -> String {
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let append = post(move |request: Request| async move {
        let Ok(message) = receive_allowed::<Append, _>(request, MESSAGE_BYTES_MAX).await else { panic!() };
        if !AppendEntriesRequest::from(message).entries.is_empty() {
            std::future::pending::<()>().await;
        }
        beats.fetch_add(1, Ordering::Relaxed);
        let unavailable = |_: &Stopped| http::StatusCode::SERVICE_UNAVAILABLE;
        answer::<_, _, axum::body::Body>(&Ok::<_, Stopped>(Appended::All), unavailable)
    });
    let app = axum::Router::new().route(RaftPath::APPEND, append);
    tokio::spawn(cairn_protocol::rpc::testing::serve(listener, SECRET, app));
    addr
}

/// Member 1's way to member 2 at `addr`.
pub(super) async fn peer(addr: String) -> Peer {
    let admission = Arc::new(Admission::new(LocalMember {
        member: MemberId(1),
        incarnation: Incarnation::from_bytes([1; 16]),
        process: ClientId::from_bytes([1; 16]),
        founders: Vec::new(),
    }));
    admission.open();
    let mut network = Network::new(
        rpc(SECRET),
        admission,
        Arc::new(Pins::default()),
        Arc::new(Voice::default()),
        Arc::new(TestClock::real()),
    );
    network.new_client(MemberId(2), &BasicNode::new(addr)).await
}

fn request(entries: u64) -> AppendEntriesRequest<TypeConfig> {
    let log_id = |index| LogId::new(CommittedLeaderId::new(1, MemberId(1)), index);
    let entry = |index| openraft::Entry { log_id: log_id(index), payload: EntryPayload::Blank };
    AppendEntriesRequest {
        vote: Vote::new_committed(1, MemberId(1)),
        prev_log_id: Some(log_id(10)),
        entries: (11..11 + entries).map(entry).collect(),
        leader_commit: None,
    }
}

/// I39: a message that takes long holds up no heartbeat, and smaller ones follow it.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_takes_long_for_entries_hears_of_its_leader() {
    let beats = Arc::new(AtomicUsize::new(0));
    let addr = serve_slow_member(Arc::clone(&beats)).await;
    let mut peer = peer(addr).await;
    let option = || RPCOption::new(Duration::from_mins(1));
    tokio::select! {
        answered = peer.append_entries(request(20), option()) => panic!("{answered:?}"),
        () = eventually("it hears heartbeats", async || beats.load(Ordering::Relaxed) >= 3) => {}
    }
    let again = peer.append_entries(request(20), option()).await;
    assert!(matches!(again, Err(RPCError::PayloadTooLarge(_))), "the same was sent again");
    peer.append_entries(request(0), option()).await.unwrap();
}
