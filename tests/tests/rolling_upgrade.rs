//! The release before and this one serve together: a cluster is upgraded one process at a time under load, goes back, and is
//! upgraded again. Only once the upgrade is finalized is there no way back (I30).
//!
//! `scripts/drill rolling-upgrade` runs it long: `CAIRN_UPGRADE_ROUNDS` sets how often all processes are replaced in both
//! directions, `CAIRN_SEED` the order.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, says what it could not do, and measures real time"
)]

use std::path::Path;
use std::time::Duration;

use cairn_cli::admin::UpgradeStatus;
use cairn_tests::{
    Ledger, Load, Mix, ProcessCluster, RunningLoad, Tuning, cairn, eventually, ledger_check, previous_cairn, seed,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

const BUCKET: &str = "upgrade";
const MEMBERS: usize = 3;
const WORKERS: u32 = 4;
/// What an SDK does by default.
const ATTEMPTS: u32 = 3;
/// Acknowledged changes that are awaited after each process.
const CHANGES: u64 = 10;
const LIMIT: Duration = Duration::from_mins(1);

fn load(cluster: &ProcessCluster, seed: u64) -> RunningLoad {
    let mix = Mix { sizes: &[100, 16 << 10, 100 << 10, 1 << 20], ..Mix::default() };
    let load = Load {
        accounts: cluster.accounts(),
        bucket: BUCKET.to_owned(),
        mix,
        workers: WORKERS,
        attempts: ATTEMPTS,
        seed,
    };
    load.start(Ledger::new())
}

/// Waits until every member has the log, so that the next may go away.
async fn wait_members(cluster: &ProcessCluster) {
    eventually("every metadata member has caught up", LIMIT, async || {
        let members = cluster.admin().metadata_members().await.map_err(|error| error.to_string())?;
        let lags = |lag: Option<u64>| lag.is_none_or(|lag| lag > 100);
        match members.members.iter().find(|member| !member.answers || lags(member.lag_entries)) {
            Some(member) => Err(format!("{member:?}")),
            None => Ok(()),
        }
    })
    .await;
}

/// Replaces every process by `program`, in an order of its own, and demands progress after each.
async fn roll(cluster: &mut ProcessCluster, running: &RunningLoad, program: &Path, random: &mut StdRng) {
    let mut names = cluster.process_names();
    names.shuffle(random);
    for name in names {
        cluster.replace(&name, program).await;
        cluster.ready(&name).await;
        wait_members(cluster).await;
        cluster.wait_disks_active().await;
        running.advance(CHANGES, &format!("after {name} was replaced by {}", program.display())).await;
    }
}

async fn upgrade_status(cluster: &ProcessCluster) -> UpgradeStatus {
    cluster.admin().upgrade().await.expect("GET /v1/upgrade")
}

/// A process of the release before that is started after the end of the upgrade takes no part, and says why.
async fn refuse(cluster: &mut ProcessCluster, running: &RunningLoad, name: &str, previous: &Path, level: u32) {
    cluster.replace(name, previous).await;
    let why = format!("supports level {level}");
    eventually(&format!("{name} of the release before says why it takes no part"), LIMIT, async || {
        let log = cluster.log_of(name);
        if log.contains(&why) { Ok(()) } else { Err(log.lines().last().unwrap_or_default().to_owned()) }
    })
    .await;
    running.advance(CHANGES, &format!("while {name} takes no part")).await;
    cluster.replace_at_once(name, &cairn());
    cluster.ready(name).await;
    wait_members(cluster).await;
    cluster.wait_disks_active().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_serve_together_until_the_upgrade_is_finalized() {
    let previous = match previous_cairn() {
        Ok(previous) => previous,
        Err(why) => return eprintln!("SKIPPED, there is no release before to run beside this one: {why}"),
    };
    let rounds: u32 = std::env::var("CAIRN_UPGRADE_ROUNDS").map_or(1, |text| text.parse().expect("a number"));
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let tuning = Tuning { repair_grace_s: 60, ..Tuning::default() };
    let cluster = ProcessCluster::builder().members(MEMBERS).tuning(tuning).program(previous.clone());
    let mut cluster = cluster.start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let running = load(&cluster, seed);
    running.advance(CHANGES, "before the upgrade").await;

    for _ in 0..rounds {
        roll(&mut cluster, &running, &cairn(), &mut random).await;
        let status = upgrade_status(&cluster).await;
        assert!(status.next_level > status.level && status.can_finalize, "{status:#?}");
        roll(&mut cluster, &running, &previous, &mut random).await;
    }
    roll(&mut cluster, &running, &cairn(), &mut random).await;
    let before = upgrade_status(&cluster).await;
    let finalized = cluster.verb(0, &["cluster", "upgrade", "finalize"]);
    assert!(finalized.status.success(), "{finalized:?}");
    let status = upgrade_status(&cluster).await;
    assert_eq!((status.level, status.can_finalize), (before.next_level, false), "{status:#?}");
    running.advance(CHANGES, "after the upgrade").await;
    for name in ["metadata3", "node6", "gateway2"] {
        refuse(&mut cluster, &running, name, &previous, status.level).await;
    }

    let replaced = (2 * rounds + 1) as usize * cluster.process_names().len();
    let (mut ledger, counts) = running.stop().await;
    assert_eq!(counts.violations, Vec::<String>::new());
    let failed = counts.refused + counts.unknown + counts.read_failures;
    assert_eq!(failed, 0, "failed after {ATTEMPTS} attempts: {:#?}", counts.errors);
    for gateway in 0..cluster.accounts().len() {
        ledger_check::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, &format!("gateway {gateway}")).await;
    }
    cluster.stop_sound("after the upgrade").await;
    eprintln!(
        "rolling upgrade: {replaced} processes replaced, {} changes acknowledged, {} reads, 0 refused, 0 unknown, {} attempts \
         sent again, 0 lost",
        counts.acknowledged, counts.reads, counts.retried
    );
}
