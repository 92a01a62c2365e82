//! A cluster that uses what this release does not know.

use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::command::RaiseLevel;
use openraft::raft::AppendEntriesRequest;
use openraft::{CommittedLeaderId, EntryPayload};

use super::*;
use crate::raft::message::{Append, Appended};
use crate::raft::proposal::{Change, Proposal};
use crate::raft::{Entry, LogId, Vote};
use crate::state::stored::StoredCommand;

const UNKNOWN: FeatureLevel = FeatureLevel(FeatureLevel::NEWEST.0 + 1);

/// I30: nothing of what is not understood is applied, and it is not taken for damage.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_applies_nothing_of_a_level_that_it_does_not_support() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let level = metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap().level;
    assert_eq!(level, FeatureLevel::NEWEST, "a new cluster begins with all that its founders support");
    let raised = metadata.run(RaiseLevel { to: UNKNOWN }).await;
    assert!(raised.as_ref().is_err_and(|error| !error.is_definite_no()), "{raised:?}");
    let map = metadata.ask(GetClusterMap { known: Epoch(0) }).await;
    assert!(map.is_err() || map.is_ok_and(|map| map.unwrap().level == level), "nothing of it was applied");
    metadata.shutdown().await;

    // The entry is in the log, and is met again at the next start.
    let (clock, random) = (TestClock::new(), Arc::new(TestRandom));
    let (threads, storage) = (Arc::new(TestThreads), StorageDirectory::new(rpc(SECRET)));
    let dependencies = Dependencies { clock, random, threads, storage, rpc: rpc(SECRET) };
    let refused = MetadataService::start(options(dir.path()), dependencies).await.err().unwrap().to_string();
    assert!(refused.contains(&format!("supports level {UNKNOWN}")), "{refused}");
}

/// I30: what follows the raise may hold what this release does not know, and would be in its log without it.
#[tokio::test(flavor = "multi_thread")]
async fn entries_from_a_level_on_that_is_not_supported_do_not_reach_the_log() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = serve(&metadata, listener);
    let last = metadata.machine().applied().unwrap();
    let entry = |index, command: StoredCommand| {
        let proposal = Proposal { proposed_at_ms: 1, change: Change::Batch(vec![command], None) };
        let log_id = LogId::new(CommittedLeaderId::new(99, MemberId(9)), index);
        Entry { log_id, payload: EntryPayload::Normal(Arc::new(proposal)) }
    };
    let behind = CreateBucket { name: bucket(), region: String::new() };
    let entries = vec![entry(last.index + 1, RaiseLevel { to: UNKNOWN }.into()), entry(last.index + 2, behind.into())];
    let vote = Vote::new_committed(99, MemberId(9));
    let request = AppendEntriesRequest { vote, prev_log_id: Some(last), entries, leader_commit: None };
    let (message, limit) = (Append::from(request), Duration::from_secs(10));
    let told = rpc(SECRET).call::<_, Appended, Stopped>(&addr, RaftPath::APPEND, &message, limit).await.unwrap();
    let refused = told.unwrap_err();
    assert!(refused.detail.contains(&format!("supports level {UNKNOWN}")), "{refused}");
    let log = &metadata.member.log;
    let from = log.purged().map_or(0, |id| id.index + 1);
    let taken = log.entries(from, u64::MAX).unwrap();
    assert!(taken.iter().all(|entry| entry.log_id.leader_id.term < 99), "{taken:?}");
    metadata.run(CreateBucket { name: bucket(), region: String::new() }).await.unwrap();
    server.abort();
}
