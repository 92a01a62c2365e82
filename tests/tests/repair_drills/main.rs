//! Drills: each harms a cluster of processes in one way under load, and records every acknowledgement. After each drill
//! the promises are kept through every gateway, `cairn cluster verify` finds everything whole, and the audit of the
//! stopped cluster agrees to the byte.
//!
//! Covers I8, I10, I17, I21, I25, I27 and I29. Short here; `scripts/drill repair` runs them long: `CAIRN_FLAPS` sets how
//! often a node flaps, `CAIRN_DRAIN_KILLS` how often a process is killed during a drain, `CAIRN_ONE_WAY_ROUNDS` how often each
//! direction is cut, `CAIRN_HARD_ROUNDS` how often everything goes wrong, `CAIRN_SEED` all choices.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, says what it could not do, and measures real time"
)]

mod damage;
mod flap;
mod full;
mod hard;
mod node_drain;
mod one_way;
mod partition;
mod stale;

use std::sync::Arc;
use std::time::Duration;

use cairn_cli::s3::Account;
use cairn_tests::{Ledger, Load, Mix, ProcessCluster, RunningLoad, ledger_check};

const BUCKET: &str = "drill";
/// A bucket that the load does not change. The load may replace everything else that a node held.
const STILL: &str = "still";
/// How long anything may take.
const LIMIT: Duration = Duration::from_mins(3);
/// With two disks a node, three of six nodes can hold 4+2 with two shards each.
const DISKS_PER_NODE: usize = 2;
const WORKERS: u32 = 4;
/// The largest object of the load: see [`load`]. Its multipart uploads have up to 6 MiB in two parts.
const OBJECT_BYTES_MAX: u64 = 6 << 20;

/// Puts, overwrites, deletes and multipart uploads through every gateway.
fn load(cluster: &ProcessCluster, ledger: Ledger, seed: u64) -> RunningLoad {
    load_on(cluster.accounts(), ledger, seed)
}

fn load_on(accounts: Vec<Arc<Account>>, ledger: Ledger, seed: u64) -> RunningLoad {
    let mix = Mix { sizes: &[100, 16 << 10, 100 << 10, 1 << 20], ..Mix::default() };
    Load { accounts, bucket: BUCKET.to_owned(), mix, workers: WORKERS, attempts: 1, seed }.start(ledger)
}

/// Demands that every promise was kept, through every gateway, in GET and in LIST.
async fn kept(cluster: &ProcessCluster, ledger: &mut Ledger, when: &str) {
    for gateway in 0..cluster.accounts().len() {
        ledger_check::assert_kept(&cluster.account(gateway), BUCKET, ledger, &format!("{when}, gateway {gateway}"))
            .await;
    }
}

fn count(variable: &str, default: u32) -> u32 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}
