//! The process is killed under load, again and again.
//!
//! Covers I1 as far as the death of a process goes (the page cache survives it), I12, I13 and I29: nothing acknowledged
//! is lost, nothing unacknowledged is left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cairn_tests::{AllInOne, Ledger, Load, Mix, ledger_check, seed, wait_until};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const BUCKET: &str = "killed";
const WORKERS: u32 = 8;
/// How long the load may take to get its acknowledgements.
const LIMIT: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_kills_of_the_process() {
    let rounds: u32 = std::env::var("CAIRN_KILL_ROUNDS").map_or(5, |text| text.parse().expect("a number of rounds"));
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let mut server = AllInOne::start().await;
    server.client().create_bucket(BUCKET).await.unwrap();
    let mut ledger = Ledger::new();
    for round in 1..=rounds {
        let load = Load {
            accounts: vec![server.account()],
            bucket: BUCKET.to_owned(),
            mix: Mix::default(),
            workers: WORKERS,
            attempts: 1,
            seed: random.random(),
        };
        let running = load.start(ledger);
        // From a kill during the very first writes to one with much written.
        let enough = random.random_range(1..300);
        wait_until("enough is acknowledged", LIMIT, async || running.acknowledged() >= enough).await;
        server.kill();
        let (promised, stats) = running.stop().await;
        ledger = promised;
        assert!(stats.violations.is_empty(), "round {round}: {:#?}", stats.violations);
        server.start_again().await;
        ledger_check::assert_kept(&server.account(), BUCKET, &mut ledger, &format!("after kill {round}")).await;
        eprintln!(
            "round {round}: {} acknowledged, {} unknown, {} read",
            stats.acknowledged, stats.unknown, stats.reads
        );
    }
    let mut client = server.client();
    ledger_check::abort_uploads(&mut client, BUCKET).await.unwrap();
    let repair = server.admin().cluster().await.unwrap().repair_entries;
    let shards = ledger.shards();
    ledger_check::assert_shards(server.admin(), shards - repair..=shards).await;
    ledger_check::assert_kept(&server.account(), BUCKET, &mut ledger, "after garbage was collected").await;
    ledger_check::delete_all(&mut client, BUCKET).await.unwrap();
    ledger_check::assert_shards(server.admin(), 0..=0).await;
}
