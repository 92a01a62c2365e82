//! A cluster that uses what this release does not know.

use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::command::RaiseLevel;

use super::*;

/// I30: nothing of what is not understood is applied, and it is not taken for damage.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_applies_nothing_of_a_level_that_it_does_not_support() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let level = metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap().level;
    assert_eq!(level, FeatureLevel::NEWEST, "a new cluster begins with all that its founders support");
    let unknown = FeatureLevel(FeatureLevel::NEWEST.0 + 1);
    let raised = metadata.run(RaiseLevel { to: unknown }).await;
    assert!(raised.as_ref().is_err_and(|error| !error.is_definite_no()), "{raised:?}");
    assert!(metadata.ask(GetClusterMap { known: Epoch(0) }).await.is_err(), "it takes no part any more");
    metadata.shutdown().await;

    // The entry is in the log, and is met again at the next start.
    let (clock, random) = (TestClock::new(), Arc::new(TestRandom));
    let (threads, storage) = (Arc::new(TestThreads), StorageDirectory::new(rpc(SECRET)));
    let dependencies = Dependencies { clock, random, threads, storage, rpc: rpc(SECRET) };
    let refused = MetadataService::start(options(dir.path()), dependencies).await.err().unwrap().to_string();
    assert!(refused.contains(&format!("supports level {unknown}")), "{refused}");
}
