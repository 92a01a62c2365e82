//! A bucket of many keys: the service grows to three members, is backed up, loses all of them, is restored, grows again, and
//! everything is whole (I15, I16). `scripts/drill backup` does it with ten million.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, says how far it is, and measures time"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cairn_cli::admin::MemberRole;
use cairn_cli::s3::{Account, Client, ListQuery};
use cairn_tests::{Content, ProcessCluster, eventually, verify_body};
use tokio::task::JoinSet;

const BUCKET: &str = "many";
/// Default of `CAIRN_BACKUP_KEYS`.
const KEYS: u64 = 3000;
/// One key in this many has content. The others are rows without shards, because rows are what this tests.
const CONTENT_EVERY: u64 = 10;
const CONTENT_BYTES: u64 = 1000;
const CLIENTS: usize = 32;
/// Objects stored after the backup.
const LATER: u64 = 20;
/// Objects stored between two lines of progress.
const PROGRESS: u64 = 500_000;

fn key(n: u64) -> String {
    format!("key-{n:010}")
}

fn content(n: u64) -> Content {
    let length = if n.is_multiple_of(CONTENT_EVERY) { CONTENT_BYTES } else { 0 };
    Content::new(n, length)
}

/// Prints how long each step takes.
struct Steps {
    began: Instant,
}

impl Steps {
    fn done(&mut self, what: &str) {
        eprintln!("{what}: {:.1} s", self.began.elapsed().as_secs_f64());
        self.began = Instant::now();
    }
}

async fn fill(account: &Arc<Account>, keys: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..CLIENTS {
        let (next, mut client) = (Arc::clone(&next), Client::new(Arc::clone(account)));
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= keys {
                    return;
                }
                client.put(BUCKET, &key(n), content(n).bytes()).await.unwrap();
                if n > 0 && n.is_multiple_of(PROGRESS) {
                    eprintln!("{n} of {keys} stored");
                }
            }
        });
    }
    tasks.join_all().await;
}

/// Walks over the whole listing, which has every key once, in order, with its size; then reads a sample of the objects.
async fn check(client: &mut Client, keys: u64) {
    let (mut expected, mut continuation) = (0, None::<String>);
    loop {
        let query = ListQuery { prefix: "key-", continuation: continuation.as_deref(), ..ListQuery::default() };
        let page = client.list(BUCKET, &query).await.unwrap();
        for object in page.objects {
            assert_eq!((object.key, object.size), (key(expected), content(expected).length));
            expected += 1;
        }
        continuation = page.continuation;
        if continuation.is_none() {
            break;
        }
    }
    assert_eq!(expected, keys, "I16: every key is listed");
    for n in (0..keys).step_by((keys / 200) as usize) {
        let n = n - n % CONTENT_EVERY;
        let body = client.get(BUCKET, &key(n)).await.unwrap();
        verify_body(body, content(n), 0..content(n).length).await.unwrap();
    }
}

async fn check_later(client: &mut Client) {
    for n in 0..LATER {
        let body = client.get(BUCKET, &format!("later-{n}")).await.unwrap();
        verify_body(body, Content::new(n, 300_000), 0..300_000).await.unwrap();
    }
}

fn run(cluster: &ProcessCluster, arguments: &[&str]) -> String {
    let output = cluster.verb(0, arguments);
    assert!(output.status.success(), "cairn {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Empties all members, restores one from the backup, and adds the others to it.
async fn restore(cluster: &mut ProcessCluster, backup: &str, steps: &mut Steps, limit: Duration) {
    for member in 0..3 {
        cluster.kill_metadata_member(member);
        std::fs::remove_dir_all(cluster.metadata_dir(member)).unwrap();
    }
    let config = cluster.metadata_config(0);
    let said = run(cluster, &["metadata", "restore", backup, "--config", config.to_str().unwrap()]);
    steps.done(&said);
    cluster.start_metadata(0).await;
    let what = "the restored service is compared with the disks";
    let compared = eventually(what, limit, async || {
        let members = cluster.metadata_admin(0).metadata_members().await.map_err(|e| e.to_string())?;
        members.reconciled.ok_or_else(|| "it is not over".to_owned())
    })
    .await;
    steps.done(what);
    assert_eq!(
        (compared.recovered, compared.kept, compared.unreadable),
        (LATER, 0, 0),
        "I16: later objects are recovered"
    );
    for member in 1..3 {
        cluster.start_metadata(member).await;
        add(cluster, member + 1, &cluster.metadata_addr(member), limit).await;
    }
    steps.done("two more members have all of it");
}

/// Adds a member and waits until it votes.
async fn add(cluster: &ProcessCluster, number: usize, addr: &str, limit: Duration) {
    run(cluster, &["metadata", "members", "add", &number.to_string(), addr]);
    eventually("all members vote", limit, async || {
        let members = cluster.metadata_admin(0).metadata_members().await.map_err(|e| e.to_string())?;
        let voters =
            members.members.iter().filter(|m| m.answers && m.role != MemberRole::Learner && m.lag_entries < Some(3));
        if voters.count() == number && !members.is_changing { Ok(()) } else { Err(format!("{members:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_keys_are_restored_from_a_backup_after_all_members_are_lost() {
    let keys = std::env::var("CAIRN_BACKUP_KEYS").map_or(KEYS, |text| text.parse().expect("a number of keys"));
    let limit = Duration::from_secs(60 + keys / 10_000);
    let mut cluster = ProcessCluster::builder().nodes(3).gateways(1).start().await;
    let mut client = cluster.client(0);
    client.create_bucket(BUCKET).await.unwrap();
    let mut steps = Steps { began: Instant::now() };
    fill(&cluster.account(0), keys).await;
    steps.done(&format!("{keys} keys stored, through S3"));
    for _ in 0..2 {
        let (number, addr) = cluster.start_new_metadata().await;
        add(&cluster, number as usize, &addr, limit).await;
    }
    steps.done("two more members have all of it");
    let backup = cluster.workdir().join("backup");
    let backup = backup.to_str().unwrap();
    let said = run(&cluster, &["metadata", "backup", backup]);
    steps.done(&format!("{said}; {} bytes in the file", std::fs::metadata(backup).unwrap().len()));
    for n in 0..LATER {
        client.put(BUCKET, &format!("later-{n}"), Content::new(n, 300_000).bytes()).await.unwrap();
    }

    restore(&mut cluster, backup, &mut steps, limit).await;
    let report = eventually("everything is whole", limit, async || {
        let report = cluster.metadata_admin(0).verify(|_| {}).await.map_err(|e| e.to_string())?;
        if report.is_healthy() { Ok(report) } else { Err(format!("{report:?}")) }
    })
    .await;
    // The metadata's own backups, which are made every hour, are objects too, and none of the clients'.
    assert!(report.whole.objects >= keys + LATER, "{report:?}");
    assert_eq!(cluster.metadata_admin(0).cluster().await.unwrap().objects, keys + LATER);
    steps.done("`cairn cluster verify` is clean");
    check(&mut client, keys).await;
    check_later(&mut client).await;
    steps.done("every key is listed, and a sample reads");
    // Writes continue without the first of the three members.
    cluster.kill_metadata_member(0);
    eventually("writes continue", limit, async || {
        client.put(BUCKET, "more", Bytes::from_static(b"x")).await.map_err(|e| e.to_string())
    })
    .await;
    cluster.stop().await;
}
