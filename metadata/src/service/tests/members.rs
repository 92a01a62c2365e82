//! Three members that talk over real HTTP: the loss of one, its return, and a copy of one.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use cairn_core::id::MemberId;
use cairn_protocol::metadata::query::{GetMembers, MemberRole};
use cairn_protocol::metadata::{MemberAddress, OperatedMetadata, OperatorRequest};
use tokio::sync::watch;

use super::*;
use crate::LogRetention;
use crate::raft::message::{AskVote, Voted};

/// One of three members, over real HTTP.
pub(super) struct Member {
    pub(super) dir: TempDir,
    pub(super) addr: String,
    pub(super) running: Option<(Handle, tokio::task::JoinHandle<()>)>,
}

impl Member {
    pub(super) async fn start(&mut self, id: MemberId, members: &[(MemberId, String)]) {
        self.start_behind(id, members, |app| app).await;
    }

    /// Like [`Member::start`], with something between the network and the member.
    pub(super) async fn start_behind(
        &mut self,
        id: MemberId,
        members: &[(MemberId, String)],
        wrap: impl FnOnce(axum::Router) -> axum::Router,
    ) {
        let handle = self.open(id, members).await;
        let listener = LoopbackNetwork.bind(&self.addr).await.unwrap();
        let app = wrap(router(handle.clone()));
        let server = tokio::spawn(cairn_protocol::rpc::testing::serve(listener, SECRET, app));
        self.running = Some((handle, server));
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.running.as_ref().unwrap().0
    }

    /// From now on nobody reaches the member, and it reaches the others.
    pub(super) fn close_port(&self) {
        self.running.as_ref().unwrap().1.abort();
    }

    /// Like [`Member::start`], but takes each chunk of a snapshot only after as many commits as `held` more.
    async fn start_slowly(
        &mut self,
        id: MemberId,
        members: &[(MemberId, String)],
        commits: watch::Receiver<u64>,
        held: u64,
    ) {
        let slow = from_fn(move |request: Request, next: Next| {
            let mut commits = commits.clone();
            async move {
                if request.uri().path() == RaftPath::SNAPSHOT {
                    let from = *commits.borrow();
                    // Commits end with the test.
                    let _ = commits.wait_for(|made| *made >= from + held).await;
                }
                next.run(request).await
            }
        });
        self.start_behind(id, members, |app| app.layer(slow)).await;
    }

    async fn open(&self, id: MemberId, members: &[(MemberId, String)]) -> Handle {
        let options = Options {
            member_id: id,
            members: members.to_vec(),
            advertise: self.addr.clone(),
            snapshot_entries: 30,
            // As little as there can be.
            log: LogRetention { time: Duration::ZERO, ..LogRetention::default() },
            session_lease: Duration::from_hours(1),
            ..options(self.dir.path())
        };
        start_with(options, StorageDirectory::new(rpc(SECRET))).await
    }

    pub(super) async fn stop(&mut self) {
        let (handle, server) = self.running.take().unwrap();
        server.abort();
        let _ = server.await;
        handle.shutdown().await;
    }
}

/// While `held`, requests to `path` are served and their answers never arrive.
pub(super) fn hold_answers(app: axum::Router, path: &'static str, held: &Arc<AtomicBool>) -> axum::Router {
    let held = Arc::clone(held);
    app.layer(from_fn(move |request: Request, next: Next| {
        let held = Arc::clone(&held);
        async move {
            let is_meant = request.uri().path() == path;
            let answer = next.run(request).await;
            if is_meant && held.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            answer
        }
    }))
}

/// Three members that are not started, with their addresses.
pub(super) fn three_members() -> (Vec<Member>, Vec<(MemberId, String)>) {
    new_members(3)
}

/// Members that are not started, with their addresses.
#[expect(clippy::disallowed_methods, reason = "asks the system for free ports")]
pub(super) fn new_members(count: usize) -> (Vec<Member>, Vec<(MemberId, String)>) {
    let mut members = Vec::new();
    for _ in 0..count {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        members.push(Member { dir: TempDir::new().unwrap(), addr, running: None });
    }
    let addrs = (1..).map(MemberId).zip(members.iter().map(|m| m.addr.clone())).collect();
    (members, addrs)
}

/// Three members that run and have formed a cluster, their addresses, and a client.
pub(super) async fn cluster_of_three() -> (Vec<Member>, Vec<(MemberId, String)>, HttpMetadata) {
    let (members, addrs) = three_members();
    let (members, client) = cluster_of(members, &addrs).await;
    (members, addrs, client)
}

/// Starts `members`, which form a cluster.
pub(super) async fn cluster_of(members: Vec<Member>, addrs: &[(MemberId, String)]) -> (Vec<Member>, HttpMetadata) {
    cluster_behind(members, addrs, |_, app| app).await
}

/// Like [`cluster_of`], with something between the network and each member, which is counted from 0.
pub(super) async fn cluster_behind(
    mut members: Vec<Member>,
    addrs: &[(MemberId, String)],
    wrap: impl Fn(usize, axum::Router) -> axum::Router,
) -> (Vec<Member>, HttpMetadata) {
    for (n, member) in members.iter_mut().enumerate() {
        member.start_behind(addrs[n].0, addrs, |app| wrap(n, app)).await;
    }
    let known = addrs.iter().map(|(_, addr)| addr.clone()).collect();
    let client = HttpMetadata::new(rpc(SECRET), known, &TestRandom);
    eventually("a leader forms the cluster", async || {
        client.ask(GetClusterMap { known: Epoch(0) }).await.is_ok_and(|map| map.is_some())
    })
    .await;
    (members, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_members_agree_survive_the_loss_of_one_and_take_it_back_by_snapshot() {
    let (mut members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    client.run(commit(session, 0, "before")).await.unwrap();
    let leader = members.iter().position(|m| m.running.as_ref().unwrap().0.leads()).unwrap();
    members[leader].stop().await;
    // Far more entries than the log keeps, so that the lost member needs a snapshot.
    for n in 1..=300 {
        let mut object = commit(session, 10 * n, &format!("key{n}"));
        object.precondition.must_not_exist = true;
        // The first may meet the old leader's last moments: its outcome is not known then, and a repetition is the same.
        let mut outcome = client.run(object.clone()).await;
        while matches!(outcome, Err(MetadataError::Unknown(_) | MetadataError::Unavailable(_))) {
            outcome = client.run(object.clone()).await;
        }
        outcome.unwrap();
    }
    members[leader].start(MemberId(leader as u64 + 1), &addrs).await;
    let newest = client.ask(GetClusterStatus {}).await.unwrap().commit;
    let returned = members[leader].running.as_ref().unwrap().0.clone();
    eventually("the member catches up", async || returned.commit() >= newest).await;
    assert_eq!(returned.ask(get("before")).await.unwrap().version.size, 100, "a follower asks the leader");
    let view = returned.machine().view().unwrap();
    let held = crate::state::tables::usage::get(&view.usage().unwrap(), crate::state::tables::usage::TOTAL).unwrap();
    assert_eq!((held.objects, held.bytes), (301, 30_100));
}

/// Commits that the members make, one after the other, without a pause.
async fn write_on(client: &HttpMetadata, session: SessionId, made: &watch::Sender<u64>) {
    for n in 1.. {
        let outcome = client.run(commit(session, 10 * n, "key")).await;
        if outcome.is_ok() {
            made.send_modify(|made| *made += 1);
        } else {
            let again = matches!(outcome, Err(MetadataError::Unknown(_) | MetadataError::Unavailable(_)));
            assert!(again, "{outcome:?}");
        }
    }
}

/// I28, I39: the log behind a snapshot is kept until it has arrived and the member has the rest, however slow it is and
/// however much is written meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_member_that_returns_beyond_the_log_votes_again_while_commits_go_on() {
    /// Commits while a chunk of the snapshot is on its way: more than the log keeps, and than a voter may lack.
    const HELD: u64 = 250;
    const COMMITS_MAX: u64 = 2000;
    let (mut members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let leaves = members.iter().rposition(|m| !m.running.as_ref().unwrap().0.leads()).unwrap();
    let (id, addr) = addrs[leaves].clone();
    members[leaves].stop().await;
    client.operate(OperatorRequest::RemoveMember(id)).await.unwrap();
    members[leaves].dir = TempDir::new().unwrap();
    for n in 1..=100 {
        client.run(commit(session, 10 * n, "before")).await.unwrap();
    }
    let (made, commits) = watch::channel(0);
    members[leaves].start_slowly(id, &addrs, commits.clone(), HELD).await;
    client.operate(OperatorRequest::AddMember(MemberAddress { member: id, addr })).await.unwrap();
    let votes = async || {
        let table = client.ask(GetMembers {}).await;
        table.is_ok_and(|table| table.members.iter().any(|m| m.member == id && m.role == MemberRole::Voter))
    };
    let returns = async {
        while !votes().await {
            assert!(*commits.borrow() < COMMITS_MAX, "it does not vote after {COMMITS_MAX} commits");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = returns => {}
        () = write_on(&client, session, &made) => {}
    }
    assert!(*commits.borrow() >= HELD, "it took a snapshot");
}

/// I15, I18: a copy of a member's directory finds the original at its address, and takes no part.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_of_a_member_takes_no_part() {
    let (members, addrs, client) = cluster_of_three().await;
    let session = prepare(&client).await;
    let original = &members[1];
    eventually("the copied member knows of the cluster", async || original.running.as_ref().unwrap().0.commit().0 > 0)
        .await;
    let image = kill_image(&original.running.as_ref().unwrap().0, original.dir.path());
    let options = Options { member_id: MemberId(2), members: addrs.clone(), ..options(image.path()) };
    let copy = start_with(options, StorageDirectory::new(rpc(SECRET))).await;
    eventually("it says what it is", async || copy.refusal().is_some_and(|why| why.contains("copy of the other")))
        .await;
    client.run(commit(session, 0, "a")).await.unwrap();
    assert!(original.running.as_ref().unwrap().0.refusal().is_none());
    assert!(!copy.leads());
}

/// I39: openraft's lease protects a leader from its followers' votes; its own vote must be protected as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_that_works_votes_for_nobody_else() {
    let (members, addrs, client) = cluster_of_three().await;
    prepare(&client).await;
    // Longer than the lease that openraft gives the leader when it is elected.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let leader = members.iter().position(|m| m.running.as_ref().unwrap().0.leads()).unwrap();
    let member = &members[leader].running.as_ref().unwrap().0.member;
    let term = member.leader.term();
    let candidate = MemberId((leader as u64 + 1) % 3 + 1);
    let request = openraft::raft::VoteRequest::new(crate::raft::Vote::new(term + 1, candidate), member.log.last());
    let (path, limit) = (RaftPath::VOTE, Duration::from_secs(2));
    let voted = rpc(SECRET).call::<AskVote, Voted, Stopped>(&addrs[leader].1, path, &request.into(), limit).await;
    let voted = openraft::raft::VoteResponse::from(voted.unwrap().unwrap());
    assert!(!voted.vote_granted, "the leader of term {term} voted for member {candidate} while it led");
    assert!(members[leader].running.as_ref().unwrap().0.leads());
}
