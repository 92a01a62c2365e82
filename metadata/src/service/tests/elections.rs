//! Members of which one is cut off in one direction (I39): real HTTP, of which a part is held back.

use std::sync::atomic::{AtomicBool, Ordering};

use super::members::{Member, cluster_behind, cluster_of_three, hold_answers, three_members};
use super::*;
use crate::raft::candidacy::LEASE;

fn leader(members: &[Member]) -> Option<usize> {
    members.iter().position(|member| member.running.is_some() && member.handle().leads())
}

fn term(member: &Member) -> u64 {
    member.handle().member.leader.term()
}

/// Commits until one is acknowledged.
async fn write(client: &HttpMetadata, session: SessionId, counter: u64) {
    eventually("a commit is acknowledged", async || client.run(commit(session, counter, "key")).await.is_ok()).await;
}

/// It cannot be reached, and it reaches the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_is_not_reached_is_not_elected_and_its_term_does_not_climb() {
    let (mut members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let first = leader(&members).unwrap();
    let (cut_off, other) = ((first + 1) % 3, (first + 2) % 3);
    members[cut_off].close_port();
    let before = term(&members[cut_off]);
    for n in 0..20 {
        write(&client, session, 10 * n).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(term(&members[cut_off]), before, "it asks before it stands");
    assert_eq!(leader(&members), Some(first));
    // Without the leader there is no majority that is connected. When it is back, the one that is cut off is no candidate.
    members[first].stop().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(leader(&members).is_none(), "the member that nobody reaches was elected");
    members[first].start(addrs[first].0, &addrs).await;
    write(&client, session, 1000).await;
    assert!(!members[cut_off].handle().leads());
    assert!(members[first].handle().leads() || members[other].handle().leads());
}

/// It has all that the others have, so nothing else speaks against it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_is_not_reached_is_not_elected_though_it_lacks_nothing() {
    let (mut members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let first = leader(&members).unwrap();
    let (cut_off, other) = ((first + 1) % 3, (first + 2) % 3);
    let last = |member: &Member| member.handle().member.log.last();
    eventually("both followers have all entries", async || {
        last(&members[cut_off]) == last(&members[first]) && last(&members[other]) == last(&members[first])
    })
    .await;
    members[first].stop().await;
    members[cut_off].close_port();
    for _ in 0..100 {
        assert!(!members[cut_off].handle().leads(), "the member that nobody reaches was elected");
        tokio::time::sleep(LEASE / 25).await;
    }
    members[first].start(addrs[first].0, &addrs).await;
    write(&client, session, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_that_is_not_reached_hands_over() {
    let (members, _, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let first = leader(&members).unwrap();
    members[first].close_port();
    eventually("another member leads", async || leader(&members).is_some_and(|now| now != first)).await;
    write(&client, session, 0).await;
}

/// Its messages arrive and the answers do not: the others hear it, and it can commit nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_that_is_not_answered_is_silent_and_another_is_elected() {
    let (members, addrs) = three_members();
    let switches: Vec<_> = (0..3).map(|_| Arc::new(AtomicBool::new(false))).collect();
    let hold = |n: usize, app| hold_answers(app, RaftPath::APPEND, &switches[n]);
    let (members, client) = cluster_behind(members, &addrs, hold).await;
    let session = prepare(&client).await;
    let first = leader(&members).unwrap();
    for (_, held) in switches.iter().enumerate().filter(|(n, _)| *n != first) {
        held.store(true, Ordering::Relaxed);
    }
    eventually("another member leads", async || {
        members.iter().enumerate().any(|(n, member)| n != first && member.handle().leads())
    })
    .await;
    write(&client, session, 0).await;
}

/// A member that was away returns with the term that it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_returning_member_does_not_disturb_a_leader_that_works() {
    let (mut members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let first = leader(&members).unwrap();
    let away = (first + 1) % 3;
    // Cut off in both directions, as far as elections go: it is not reached, and its peers are asked in vain.
    members[away].close_port();
    tokio::time::sleep(Duration::from_secs(4)).await;
    members[away].stop().await;
    let before = term(&members[first]);
    members[away].start(addrs[away].0, &addrs).await;
    let newest = members[first].handle().commit();
    eventually("it has caught up", async || members[away].handle().commit() >= newest).await;
    write(&client, session, 0).await;
    assert_eq!((leader(&members), term(&members[first])), (Some(first), before));
}
