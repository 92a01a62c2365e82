//! A cluster that uses what this release does not know.

use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::command::RaiseLevel;
use openraft::raft::AppendEntriesRequest;
use openraft::{CommittedLeaderId, EntryPayload};

use super::*;
use crate::raft::message::{Append, Appended};
use crate::raft::proposal::{Change, Proposal};
use crate::raft::{Entry, LogId, Vote};

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
    let entry = |index, to: Option<FeatureLevel>| {
        let commands = vec![match to {
            Some(to) => RaiseLevel { to }.into(),
            None => CreateBucket { name: bucket(), region: String::new() }.into(),
        }];
        let proposal = Proposal { proposed_at_ms: 1, change: Change::Batch(commands, None) };
        let log_id = LogId::new(CommittedLeaderId::new(99, MemberId(9)), index);
        Entry { log_id, payload: EntryPayload::Normal(Arc::new(proposal)) }
    };
    let send = async |entries: Vec<Entry>| {
        let vote = Vote::new_committed(99, MemberId(9));
        let request = AppendEntriesRequest { vote, prev_log_id: Some(last), entries, leader_commit: None };
        let message = Append::from(request);
        let limit = Duration::from_secs(10);
        rpc(SECRET).call::<_, Appended, Stopped>(&addr, RaftPath::APPEND, &message, limit).await.unwrap()
    };
    let refused = send(vec![entry(last.index + 1, Some(UNKNOWN)), entry(last.index + 2, None)]).await.unwrap_err();
    assert!(refused.detail.contains(&format!("supports level {UNKNOWN}")), "{refused}");
    assert_eq!(metadata.member.log.end().index, last.index);
    send(vec![entry(last.index + 1, None)]).await.unwrap();
    assert_eq!(metadata.member.log.end().index, last.index + 1, "other entries are taken");
    server.abort();
}
