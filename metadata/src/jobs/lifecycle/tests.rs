//! The job on the real service.

use std::sync::Arc;

use cairn_core::id::SessionId;
use cairn_protocol::metadata::command::SetBucketSetting;
use cairn_protocol::metadata::{Metadata, MetadataExt};
use cairn_protocol::storage::StorageDirectory;
use tempfile::TempDir;

use super::*;
use crate::service::tests::{bucket, commit, get, options, prepare, rpc};
use crate::state::commands::testing::{expire_all, lifecycle_change};
use crate::testing::{TestClock, TestRandom};
use crate::{Dependencies, Handle, MetadataService};
use cairn_core::testing::TestThreads;

const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;
const NOW_MS: u64 = 1_790_000_000_000;

async fn start(dir: &TempDir, clock: &Arc<TestClock>) -> Handle {
    let (random, storage) = (Arc::new(TestRandom), StorageDirectory::new(rpc("secret")));
    let dependencies = Dependencies {
        clock: Arc::clone(clock) as _,
        random,
        threads: Arc::new(TestThreads),
        storage,
        rpc: rpc("secret"),
    };
    MetadataService::start(options(dir.path()), dependencies).await.unwrap()
}

/// A job of its own beside the service's, which has its turn once an hour.
fn job(dir: &TempDir, lifecycle_day: Duration) -> Lifecycle {
    Lifecycle::new(&Options { lifecycle_interval: Duration::ZERO, lifecycle_day, ..options(dir.path()) })
}

/// One pass from begin to end.
async fn pass(job: &mut Lifecycle, metadata: &Handle) {
    while job.tick(metadata.leader()).await.unwrap() {}
}

/// Passes until `holds`, for as long as a slow machine may need.
async fn passes_until(job: &mut Lifecycle, metadata: &Handle, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        pass(job, metadata).await;
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within a thousand passes");
}

async fn put(metadata: &impl Metadata, session: SessionId, keys: &[&str]) {
    for (n, key) in (0..).zip(keys) {
        metadata.run(commit(session, 10 * n, key)).await.unwrap();
    }
}

/// I20: a clock that jumps by a year ends nothing; the time that the service itself has seen does.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_wall_clock_ends_nothing() {
    let (dir, clock) = (TempDir::new().unwrap(), TestClock::new());
    let metadata = start(&dir, &clock).await;
    let session = prepare(&metadata).await;
    // Written while the clock was a year behind.
    clock.set_wall_ms(NOW_MS - YEAR_MS);
    put(&metadata, session, &["a", "b"]).await;
    clock.set_wall_ms(NOW_MS);
    let change = lifecycle_change(&[expire_all(1)]);
    let set = SetBucketSetting { bucket: bucket(), change, revision: None, now_ms: NOW_MS };
    metadata.run(set).await.unwrap();
    let mut of_hours = job(&dir, Duration::from_hours(24));
    for years in [0, 1, 50] {
        clock.set_wall_ms(NOW_MS + years * YEAR_MS);
        pass(&mut of_hours, &metadata).await;
        assert!(metadata.ask(get("a")).await.is_ok(), "{years} years");
    }
    // The same with days that pass while the test runs.
    let mut of_moments = job(&dir, Duration::from_millis(100));
    passes_until(&mut of_moments, &metadata, async || {
        metadata.ask(get("a")).await.is_err() && metadata.ask(get("b")).await.is_err()
    })
    .await;
}

/// I20: time in which nobody led does not count, however much of it the wall clock shows.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_time_survives_a_restart_and_stands_still_meanwhile() {
    let (dir, clock) = (TempDir::new().unwrap(), TestClock::new());
    let metadata = start(&dir, &clock).await;
    let mut job_before = job(&dir, Duration::from_millis(24));
    passes_until(&mut job_before, &metadata, async || read_time(metadata.leader()).await.unwrap().elapsed_ms() >= 50)
        .await;
    let before = read_time(metadata.leader()).await.unwrap();
    metadata.shutdown().await;
    clock.set_wall_ms(NOW_MS + YEAR_MS);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let metadata = start(&dir, &clock).await;
    assert_eq!(read_time(metadata.leader()).await.unwrap(), before);
    let mut job_after = job(&dir, Duration::from_hours(24));
    pass(&mut job_after, &metadata).await;
    assert_eq!(read_time(metadata.leader()).await.unwrap(), before, "a new lead begins to count anew");
}
