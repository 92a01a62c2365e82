//! Commands whose outcome nobody can tell (I40): they are told as unknown, and are done all the same.

use std::sync::atomic::{AtomicBool, Ordering};

use cairn_protocol::metadata::Outcome;
use cairn_protocol::rpc::{Calls, Execute, MetadataPath};

use super::members::{Member, cluster_behind, cluster_of_three, hold_answers, three_members};
use super::*;

fn leader(members: &[Member]) -> usize {
    members.iter().position(|member| member.running.is_some() && member.handle().leads()).unwrap()
}

/// The leader has the entry, and lost its majority before anybody else did.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_command_that_is_not_committed_in_time_is_unknown_and_may_be_committed_yet() {
    let (mut members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let leader = leader(&members);
    let followers = [(leader + 1) % 3, (leader + 2) % 3];
    let asked = Arc::clone(members[leader].handle().leader());
    for follower in followers {
        members[follower].stop().await;
    }
    let told = asked.execute(commit(session, 0, "late").into()).await.map_err(MetadataFailure::from);
    assert!(matches!(told, Err(MetadataFailure::Unknown(_))), "{told:?}");
    // The two followers could elect one of them, and the entry would be gone. With one, only the leader can go on.
    let back = followers[0];
    members[back].start(addrs[back].0, &addrs).await;
    eventually("the command takes effect", async || client.ask(get("late")).await.is_ok()).await;
}

/// The leader does what a follower passes on, and its answer does not arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_passed_on_command_whose_answer_is_lost_is_unknown() {
    let (members, addrs) = three_members();
    let loses = Arc::new(AtomicBool::new(false));
    let hold = |_, app| hold_answers(app, MetadataPath::EXECUTE.direct, &loses);
    let (members, client) = cluster_behind(members, &addrs, hold).await;
    let session = prepare(&client).await;
    let follower = &addrs[(leader(&members) + 1) % 3].1;
    let (calls, gateway) = (Calls::new(&TestRandom), rpc(SECRET));
    let call = calls.begin().await;
    let pass_on = async |repeated| {
        let message = Execute { command: commit(session, 0, "passed on").into(), call: Some(call.tag(repeated)) };
        let (path, limit) = (MetadataPath::EXECUTE.relay, Duration::from_secs(10));
        gateway.call::<Execute, Outcome, MetadataFailure>(follower, path, &message, limit).await.unwrap()
    };
    loses.store(true, Ordering::Relaxed);
    let told = pass_on(false).await;
    assert!(matches!(told, Err(MetadataFailure::Unknown(_))), "{told:?}");
    loses.store(false, Ordering::Relaxed);
    assert!(client.ask(get("passed on")).await.is_ok(), "it took effect");
    assert!(pass_on(true).await.is_ok(), "a repetition is told the first outcome");
}
