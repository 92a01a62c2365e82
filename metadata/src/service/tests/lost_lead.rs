//! A leader of five that wrote to a minority and was replaced (I40): real HTTP, of which a part is refused.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use openraft::EntryPayload;

use super::members::{Member, new_members};
use super::*;
use crate::raft::proposal::Change;
use crate::state::stored::StoredCommand;

const KEY: &str = "a key";

/// Starts a member that takes no entries and hears no leader while `is_deaf`, but votes.
async fn start(member: &mut Member, id: MemberId, addrs: &[(MemberId, String)], is_deaf: &Arc<AtomicBool>) {
    let is_deaf = Arc::clone(is_deaf);
    let layer = from_fn(move |request: Request, next: Next| {
        let is_refused = is_deaf.load(Ordering::Relaxed) && request.uri().path() == RaftPath::APPEND;
        async move {
            if is_refused { http::StatusCode::SERVICE_UNAVAILABLE.into_response() } else { next.run(request).await }
        }
    });
    member.start_behind(id, addrs, |app| app.layer(layer)).await;
}

/// Whether the member's log holds the commit of [`KEY`].
fn holds(member: &Member) -> bool {
    let log = &member.handle().member.log;
    let from = log.purged().map_or(0, |id| id.index + 1);
    let is_it = |command: &StoredCommand| matches!(command, StoredCommand::CommitObject(c) if c.key.as_str() == KEY);
    log.entries(from, u64::MAX).unwrap().iter().any(|entry| match &entry.payload {
        EntryPayload::Normal(proposal) => {
            matches!(&proposal.change, Change::Batch(commands, _) if commands.iter().any(is_it))
        }
        EntryPayload::Blank | EntryPayload::Membership(_) => false,
    })
}

fn leader_but(members: &[Member], not: usize) -> Option<usize> {
    let leads = |member: &Member| {
        let metrics = member.handle().member.raft.server_metrics();
        let state = metrics.borrow().state;
        state == openraft::ServerState::Leader
    };
    (0..members.len()).find(|n| *n != not && members[*n].running.is_some() && leads(&members[*n]))
}

/// The leader and one of the others have the entry when a third is elected by the rest. It replaces the entry at the old leader,
/// and dies. The one that still holds the entry is elected, and commits it: nobody may have been told that it will not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_entry_that_was_removed_at_its_leader_may_be_committed_yet() {
    let (mut members, addrs) = new_members(5);
    let deaf: Vec<_> = (0..5).map(|_| Arc::new(AtomicBool::new(false))).collect();
    for n in 0..5 {
        start(&mut members[n], addrs[n].0, &addrs, &deaf[n]).await;
    }
    let client = HttpMetadata::new(rpc(SECRET), addrs.iter().map(|(_, addr)| addr.clone()).collect(), &TestRandom);
    eventually("a leader forms the cluster", async || {
        client.ask(GetClusterMap { known: Epoch(0) }).await.is_ok_and(|map| map.is_some())
    })
    .await;
    let session = prepare(&client).await;
    let mut leader = None;
    eventually("a member leads", async || {
        leader = (0..5).find(|n| members[*n].handle().leads());
        leader.is_some()
    })
    .await;
    let leader = leader.unwrap();
    let heir = (leader + 1) % 5;

    for n in (0..5).filter(|n| *n != leader && *n != heir) {
        deaf[n].store(true, Ordering::Relaxed);
    }
    let asked = Arc::clone(members[leader].handle().leader());
    let writing = tokio::spawn(async move { asked.execute(commit(session, 0, KEY).into()).await });
    eventually("one other member has the entry", async || holds(&members[heir])).await;
    members[heir].stop().await;
    let told = writing.await.unwrap().map_err(MetadataFailure::from);
    assert!(!holds(&members[leader]), "another leader's entry took its place");
    assert!(matches!(told, Err(MetadataFailure::Unknown(_))), "{told:?}");

    let replacer = leader_but(&members, leader).unwrap();
    members[leader].stop().await;
    members[replacer].stop().await;
    for is_deaf in &deaf {
        is_deaf.store(false, Ordering::Relaxed);
    }
    start(&mut members[heir], addrs[heir].0, &addrs, &deaf[heir]).await;
    eventually("the entry is committed", async || client.ask(get(KEY)).await.is_ok()).await;
}
