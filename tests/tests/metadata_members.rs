//! Several metadata members as processes: one is killed under load, all are, one is lost for good, and the group grows and
//! shrinks while clients write.
//!
//! Covers I1, I15, I18, I19 and I28 over real connections.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, says what it saw, and measures time"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use cairn_cli::admin::MemberRole;
use cairn_cli::s3::Client;
use cairn_tests::{Ledger, Load, Mix, ProcessCluster, RunningLoad, eventually, ledger_check, seed, wait_until};

const BUCKET: &str = "members";
const WORKERS: u32 = 4;
const BETWEEN: u64 = 40;
/// Leaders that are killed under load; `CAIRN_LEADER_KILLS` says otherwise.
const LEADER_KILLS: u64 = 3;
const LIMIT: Duration = Duration::from_mins(2);
/// Members that form the service.
const MEMBERS: usize = 3;
/// Small, because this tests the metadata.
const MIX: Mix = Mix { put: 60, get: 20, delete: 20, multipart: 0, sizes: &[100, 4 << 10, 40 << 10] };

async fn more(load: &RunningLoad, when: &str) {
    let enough = load.acknowledged() + BETWEEN;
    wait_until(&format!("uploads continue {when}"), LIMIT, async || load.acknowledged() >= enough).await;
}

fn load(cluster: &ProcessCluster, seed: u64) -> Load {
    Load { accounts: cluster.accounts(), bucket: BUCKET.to_owned(), mix: MIX, workers: WORKERS, attempts: 1, seed }
}

/// Waits until every member that runs answers and votes.
async fn all_vote(cluster: &ProcessCluster, count: usize) {
    eventually("every member votes", LIMIT, async || {
        let members = cluster.admin().metadata_members().await.map_err(|e| e.to_string())?;
        let well = members
            .members
            .iter()
            .filter(|m| m.answers && m.role != MemberRole::Learner && m.lag_entries.is_some_and(|l| l < 3));
        if well.count() == count && members.members.len() == count && !members.is_changing {
            Ok(())
        } else {
            Err(format!("{members:?}"))
        }
    })
    .await;
}

/// Writes one small object after the other until one is acknowledged again, and returns how long that took.
async fn time_to_write(client: &mut Client, since: Instant) -> Duration {
    for attempt in 0.. {
        let key = format!("probe/{attempt}");
        match tokio::time::timeout(Duration::from_secs(30), client.put(BUCKET, &key, Bytes::from_static(b"x"))).await {
            Ok(Ok(_)) => return since.elapsed(),
            Ok(Err(_)) | Err(_) => client.disconnect(),
        }
    }
    unreachable!("the loop ends with an acknowledgement")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_is_replaced_within_seconds_and_nothing_is_lost_or_doubled() {
    let seed = seed();
    let mut cluster = ProcessCluster::builder().members(MEMBERS).nodes(3).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    all_vote(&cluster, 3).await;
    let mut ledger = Ledger::new();
    let mut outages = Vec::new();
    let kills = std::env::var("CAIRN_LEADER_KILLS").map_or(LEADER_KILLS, |text| text.parse().expect("a number"));
    for round in 0..kills {
        let running = load(&cluster, seed.wrapping_add(round)).start(ledger);
        more(&running, "with a leader").await;
        let leader = cluster.metadata_leader().await;
        let killed = Instant::now();
        cluster.kill_metadata_member(leader);
        outages.push(time_to_write(&mut cluster.client(round as usize % 2), killed).await);
        more(&running, "under the next leader").await;
        let (after, stats) = running.stop().await;
        ledger = after;
        eprintln!(
            "round {round}: {} acknowledged, {} unknown, {} refused; {:#?}",
            stats.acknowledged, stats.unknown, stats.refused, stats.errors
        );
        assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
        cluster.start_missing().await;
        all_vote(&cluster, 3).await;
    }
    outages.sort_unstable();
    let at = |percent: usize| outages[(outages.len() * percent / 100).min(outages.len() - 1)];
    eprintln!("{kills} leaders killed; writes resumed after {:?} (median), {:?} (p99); {outages:?}", at(50), at(99));
    for probe in cluster.client(0).list_all(BUCKET, "probe/").await.unwrap() {
        cluster.client(0).delete(BUCKET, &probe.key).await.unwrap();
    }
    for gateway in 0..2 {
        ledger_check::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, "after three leaders were killed")
            .await;
    }
    // Two seconds on a quiet machine; this one also runs the load and three storage nodes.
    assert!(outages.iter().all(|outage| *outage < Duration::from_secs(6)), "{outages:?}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_start_in_any_order_after_a_full_outage() {
    let mut cluster = ProcessCluster::builder().members(MEMBERS).nodes(3).start().await;
    let mut client = cluster.client(0);
    client.create_bucket(BUCKET).await.unwrap();
    for n in 0..20 {
        client.put(BUCKET, &format!("key{n:02}"), Bytes::from_static(b"before")).await.unwrap();
    }
    for member in 0..3 {
        cluster.kill_metadata_member(member);
    }
    for member in [2, 0] {
        cluster.spawn_metadata(member);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let waited = time_to_write(&mut cluster.client(1), Instant::now()).await;
    eprintln!("two of three serve after {waited:?}");
    cluster.start_missing().await;
    all_vote(&cluster, 3).await;
    assert_eq!(cluster.client(1).list_all(BUCKET, "key").await.unwrap().len(), 20);
    cluster.stop().await;
}

/// I15, I18: a member whose directory was emptied or put back from a copy takes no part until it is added again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_or_rolled_back_member_is_refused_and_replaced() {
    let mut cluster = ProcessCluster::builder().members(MEMBERS).nodes(3).start().await;
    let mut client = cluster.client(0);
    client.create_bucket(BUCKET).await.unwrap();
    all_vote(&cluster, 3).await;
    let leader = cluster.metadata_leader().await;
    let lost = (leader + 1) % 3;
    let (dir, copy) = (cluster.metadata_dir(lost), cluster.metadata_dir(9));
    cluster.kill_metadata_member(lost);
    copy_dir(&dir, &copy);
    cluster.spawn_metadata(lost);
    for n in 0..20 {
        client.put(BUCKET, &format!("key{n:02}"), Bytes::from_static(b"x")).await.unwrap();
    }
    all_vote(&cluster, 3).await;
    cluster.kill_metadata_member(lost);

    // Put back from the copy, so that it lacks entries that it has acknowledged.
    std::fs::remove_dir_all(&dir).unwrap();
    copy_dir(&copy, &dir);
    cluster.spawn_metadata(lost);
    says(&cluster, lost, "older copy").await;
    cluster.kill_metadata_member(lost);

    // Emptied.
    std::fs::remove_dir_all(&dir).unwrap();
    cluster.spawn_metadata(lost);
    says(&cluster, lost, "members remove").await;
    let number = (lost + 1).to_string();
    let refused = cluster.verb(leader, &["metadata", "members", "remove", "9"]);
    assert!(!refused.status.success());
    let removed = cluster.verb(leader, &["metadata", "members", "remove", &number]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    let addr = cluster.metadata_addr(lost);
    let added = cluster.verb(leader, &["metadata", "members", "add", &number, &addr]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    all_vote(&cluster, 3).await;
    // The new directory carries the group.
    cluster.kill_metadata_member((lost + 1) % 3);
    time_to_write(&mut client, Instant::now()).await;
    assert_eq!(client.list_all(BUCKET, "key").await.unwrap().len(), 20);
    cluster.stop().await;
}

async fn says(cluster: &ProcessCluster, member: usize, text: &str) {
    eventually("the member logs why it takes no part", LIMIT, async || {
        let log = cluster.metadata_process(member).expect("a process").log_text();
        if log.contains(text) { Ok(()) } else { Err(log) }
    })
    .await;
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    let copied = std::process::Command::new("cp").arg("-a").args([from, to]).status().expect("cp");
    assert!(copied.success());
}

/// I28: from one member to three to five and back, under load.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_group_grows_and_shrinks_under_load() {
    let seed = seed();
    let mut cluster = ProcessCluster::builder().nodes(3).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let running = load(&cluster, seed).start(Ledger::new());
    more(&running, "with one member").await;
    for expected in 2..=5 {
        let (number, addr) = cluster.start_new_metadata().await;
        let added = cluster.verb(0, &["metadata", "members", "add", &number.to_string(), &addr]);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        all_vote(&cluster, expected).await;
        more(&running, &format!("with {expected} members")).await;
    }
    let moved = cluster.verb(0, &["metadata", "members", "transfer-leader", "4"]);
    assert!(moved.status.success(), "{}", String::from_utf8_lossy(&moved.stderr));
    assert_eq!(cluster.metadata_leader().await, 3);
    more(&running, "under the fourth member").await;
    for member in [1, 4, 2, 3] {
        let removed = cluster.verb(4, &["metadata", "members", "remove", &member.to_string()]);
        assert!(removed.status.success(), "{member}: {}", String::from_utf8_lossy(&removed.stderr));
        cluster.kill_metadata_member(member - 1);
        more(&running, &format!("without member {member}")).await;
    }
    let last = cluster.verb(4, &["metadata", "members", "remove", "5"]);
    assert!(String::from_utf8_lossy(&last.stderr).contains("the last one"), "{last:?}");
    let (mut ledger, stats) = running.stop().await;
    eprintln!("{} acknowledged, {} unknown; {:#?}", stats.acknowledged, stats.unknown, stats.errors);
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    for gateway in 0..2 {
        ledger_check::assert_kept(&cluster.account(gateway), BUCKET, &mut ledger, "with the fifth member alone").await;
    }
    cluster.stop().await;
}
