//! Disks are lost, rebuilt, drained and returned under load, and the process is killed meanwhile.
//!
//! Covers I7 and I8 (what is lost is rebuilt while it can be read), I10 (healthy is what a verification says, and agrees
//! with the count of shards on the disks), I11 (rebuilds cut off by kill -9 publish once or not at all), I13 and I29
//! (nothing is left over), I17 (a disk that returns is reconciled), I25 (a flapping disk moves nothing) and I27 (a drain
//! ends at zero references, even if processes are killed meanwhile).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use cairn_cli::admin::{DiskProgress, DiskState, VerifyReport};
use cairn_tests::{AllInOne, Dataset, Ledger, Load, Mix, RunningLoad, Tuning, eventually, ledger_check, seed};
use http::Method;

const BUCKET: &str = "kept";
const LOADED: &str = "busy";
/// How long repair and drains may take.
const LIMIT: Duration = Duration::from_mins(3);
/// Enough that extents of six shards find other disks when three are gone.
const DISKS: u32 = 9;

fn tuning(repair_grace_s: u64) -> Tuning {
    Tuning { disks: DISKS, repair_grace_s, ..Tuning::default() }
}

fn away(server: &AllInOne, disk: u32) -> PathBuf {
    server.workdir().join(format!("away-{disk}"))
}

fn take(server: &AllInOne, disk: u32) {
    std::fs::rename(server.disk(disk), away(server, disk)).unwrap();
}

fn put_back(server: &AllInOne, disk: u32) {
    std::fs::rename(away(server, disk), server.disk(disk)).unwrap();
}

fn load(server: &AllInOne, ledger: Ledger, seed: u64) -> RunningLoad {
    let sizes = &[100, 16 << 10, 100 << 10, 1 << 20];
    let mix = Mix { sizes, ..Mix::default() };
    Load { accounts: vec![server.account()], bucket: LOADED.to_owned(), mix, workers: 4, attempts: 1, seed }
        .start(ledger)
}

async fn verify(server: &AllInOne) -> VerifyReport {
    server.admin().verify(|_| {}).await.expect("a verification")
}

async fn healthy(server: &AllInOne, when: &str) {
    eventually(&format!("everything is whole {when}"), LIMIT, async || {
        let report = server.admin().verify(|_| {}).await.map_err(|e| e.to_string())?;
        let repair = server.admin().repair().await.map_err(|e| e.to_string())?;
        if report.is_healthy() { Ok(()) } else { Err(format!("{report:?}, {repair:?}")) }
    })
    .await;
}

/// The cluster's number of the disk in directory `directory`.
async fn number(server: &AllInOne, directory: u32) -> u64 {
    server.disk_entry(directory).await.number
}

async fn change(server: &AllInOne, method: Method, path: String) -> Result<DiskProgress, String> {
    server.admin().call(method, &path).await.map_err(|e| e.to_string())
}

async fn state(server: &AllInOne, directory: u32, expected: DiskState) {
    eventually(&format!("disk {directory} is {expected}"), LIMIT, async || {
        let entry = server.disk_entry(directory).await;
        if entry.state == expected { Ok(()) } else { Err(format!("{entry:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_lost_disks_are_rebuilt_a_third_is_drained_and_returning_disks_are_reconciled() {
    let seed = seed();
    let mut server = AllInOne::start_with(tuning(1)).await;
    let data = Dataset::store(&server.account(), BUCKET, seed).await;
    server.client().create_bucket(LOADED).await.unwrap();
    assert!(verify(&server).await.is_healthy(), "before anything is lost");

    // Two disks go while clients work.
    let running = load(&server, Ledger::new(), seed);
    running.advance(40, "with faults").await;
    take(&server, 1);
    take(&server, 2);
    running.advance(40, "with faults").await;
    for disk in [1, 2] {
        state(&server, disk, DiskState::Failed).await;
    }
    // The planner and the executors are killed during the rebuild.
    server.kill();
    let (ledger, stats) = running.stop().await;
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    server.start_again().await;
    let running = load(&server, ledger, seed + 100);
    running.advance(20, "with faults").await;
    let (mut ledger, stats) = running.stop().await;
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    healthy(&server, "without two of nine disks").await;
    data.assert_reads(&server.account(), "rebuilt").await;

    // A third is drained under load, with kills.
    let third = number(&server, 3).await;
    let path = format!("/v1/disks/{third}/drain");
    let would = change(&server, Method::POST, format!("{path}?dry_run=true")).await.unwrap();
    assert!(!would.is_draining && would.shards_left > 0, "{would:?}");
    change(&server, Method::DELETE, format!("/v1/disks/{third}")).await.expect_err("a disk in use is not removed");
    change(&server, Method::POST, path.clone()).await.unwrap();
    change(&server, Method::DELETE, path.clone()).await.unwrap();
    state(&server, 3, DiskState::Active).await;
    change(&server, Method::POST, path.clone()).await.unwrap();
    let running = load(&server, ledger, seed + 200);
    running.advance(20, "with faults").await;
    server.kill();
    (ledger, _) = running.stop().await;
    server.start_again().await;
    eventually("the drain ends at zero references", LIMIT, async || {
        let left = server.admin().disk(third).await.map_err(|e| e.to_string())?;
        if left.shards_left == 0 && left.is_draining { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    let removed = change(&server, Method::DELETE, format!("/v1/disks/{third}")).await.unwrap();
    assert_eq!(removed.state, DiskState::Removed);
    healthy(&server, "with a disk drained and removed").await;
    data.assert_reads(&server.account(), "moved").await;

    // What was deleted and overwritten meanwhile does not come back with the disks.
    ledger_check::assert_kept(&server.account(), LOADED, &mut ledger, "before the disks return").await;
    put_back(&server, 1);
    put_back(&server, 2);
    for disk in [1, 2] {
        state(&server, disk, DiskState::Active).await;
    }
    ledger_check::assert_kept(&server.account(), LOADED, &mut ledger, "with the disks back").await;
    ledger_check::abort_uploads(&mut server.client(), LOADED).await.unwrap();
    // Ends the gateway's session, so that the shards of its failed writes are garbage.
    server.restart().await;
    healthy(&server, "with the disks back").await;
    data.assert_reads(&server.account(), "with the disks back").await;
    let shards = data.shards() + ledger.shards();
    ledger_check::assert_shards(server.admin(), shards..=shards).await;
    server.stop_sound("with the disks back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flapping_disk_moves_nothing() {
    let flaps: u32 = std::env::var("CAIRN_FLAPS").map_or(2, |text| text.parse().expect("a number of flaps"));
    let mut server = AllInOne::start_with(tuning(600)).await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    for _ in 0..flaps {
        take(&server, 4);
        state(&server, 4, DiskState::Unavailable).await;
        let report = verify(&server).await;
        assert!(!report.is_healthy() && report.lost.objects == 0, "I10: {report:?}");
        put_back(&server, 4);
        state(&server, 4, DiskState::Active).await;
    }
    let repair = server.admin().repair().await.unwrap();
    assert_eq!((repair.done_bytes, repair.pending_extents), (0, 0), "I25: {repair:?}");
    assert!(verify(&server).await.is_healthy());
    data.assert_reads(&server.account(), "after the flapping").await;
    server.stop_sound("after the flapping").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repair_waits_for_room_and_a_drain_that_would_break_redundancy_is_refused() {
    let mut server = AllInOne::start_with(Tuning { disks: 6, repair_grace_s: 1, ..Tuning::default() }).await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    let second = number(&server, 2).await;
    let refused = change(&server, Method::POST, format!("/v1/disks/{second}/drain")).await.expect_err("six hold 4+2");
    assert!(refused.contains("4+2") && refused.contains("--force"), "{refused}");
    take(&server, 1);
    state(&server, 1, DiskState::Failed).await;
    eventually("repair reports why it waits", LIMIT, async || {
        let repair = server.admin().repair().await.map_err(|e| e.to_string())?;
        if repair.without_place_extents > 0 { Ok(()) } else { Err(format!("{repair:?}")) }
    })
    .await;
    let report = verify(&server).await;
    assert!(report.lost.objects == 0 && !report.is_healthy(), "{report:?}");
    data.assert_reads(&server.account(), "with five disks").await;
    // Two more are more than 4+2 survives. The objects are listed, not purged (I8).
    take(&server, 2);
    take(&server, 3);
    state(&server, 3, DiskState::Failed).await;
    let report = verify(&server).await;
    assert!(report.lost.objects > 0 && !report.listed.is_empty(), "{report:?}");
    server.stop().await;
    for disk in [1, 2, 3] {
        put_back(&server, disk);
    }
    server.start_again().await;
    healthy(&server, "with all disks back").await;
    data.assert_reads(&server.account(), "with all disks back").await;
    ledger_check::assert_shards(server.admin(), data.shards()..=data.shards()).await;
    server.stop_sound("with all disks back").await;
}
