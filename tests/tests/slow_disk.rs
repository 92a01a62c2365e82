//! One disk becomes far slower than its neighbours but still answers.
//!
//! Covers I24: writes go on and none fails, the disk becomes suspect with a reason, and from then on neither writes nor
//! reads ask it. The test counts calls, not milliseconds, so that a busy machine does not matter.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cairn_cli::admin::DiskState;
use cairn_tests::{AllInOne, Injection, Ledger, Load, Mix, Tuning, eventually, ledger_check, seed};

const BUCKET: &str = "slow";
const DISK: u32 = 4;
const SIZES: &[u64] = &[100, 20 << 10, 300 << 10];
const LIMIT: Duration = Duration::from_mins(2);
/// Delay of each call on the slow disk: twenty times its neighbours' time, even where a sync takes 100 ms.
const DELAY: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_disk_becomes_suspect_and_delays_no_request() {
    // A scrub would read the slow disk, which is not what is counted here.
    let mut server = AllInOne::prepare(Tuning { scrub_period_s: 0, ..Tuning::default() });
    let injection = Injection {
        calls: "fdatasync,pwritev,pread64",
        what: format!("delay_enter={}", DELAY.as_micros()),
        paths: server.volume_paths(DISK),
        trace: server.workdir().logs().join("strace.log"),
    };
    server.spawn_injected(&injection);
    server.wait_ready().await;
    server.client().create_bucket(BUCKET).await.unwrap();
    let mix = Mix { put: 80, get: 10, delete: 10, multipart: 0, sizes: SIZES };
    let accounts = vec![server.account()];
    let load = Load { accounts, bucket: BUCKET.to_owned(), mix, workers: 4, attempts: 1, seed: seed() };
    let running = load.start(Ledger::new());
    eventually("the slow disk is suspect", LIMIT, async || {
        let disk = server.disk_entry(DISK).await;
        if disk.state == DiskState::Suspect { Ok(()) } else { Err(format!("{disk:?}")) }
    })
    .await;
    let (mut ledger, stats) = running.stop().await;
    assert_eq!((stats.violations.len(), stats.refused, stats.unknown), (0, 0, 0), "{stats:#?}");
    assert!(stats.acknowledged >= 50, "only {} changes were acknowledged", stats.acknowledged);
    let slow = server.disk_entry(DISK).await;
    let reason = slow.reason.unwrap_or_default();
    assert!(reason.contains("far too slow") && reason.contains("neighbours"), "{reason}");
    for number in (1..=6).filter(|number| *number != DISK) {
        let disk = server.disk_entry(number).await;
        assert_eq!(disk.state, DiskState::Active, "{:?}", disk.reason);
    }

    // The slow disk's queue drains. Then it gets no more requests, and every object can still be read.
    let mut calls = 0;
    eventually("the slow disk comes to rest", LIMIT, async || {
        ledger_check::assert_kept(&server.account(), BUCKET, &mut ledger, "with a slow disk").await;
        let before = injection.injected();
        // Twice the time in which a waiting call would have been followed by the next.
        tokio::time::sleep(2 * DELAY).await;
        calls = injection.injected();
        if calls == before { Ok(()) } else { Err(format!("{} calls since the last look", calls - before)) }
    })
    .await;
    assert!(calls > 2, "only {calls} calls were slow");
    assert_eq!(server.disk_entry(DISK).await.state, DiskState::Suspect);
}
