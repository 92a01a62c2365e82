//! The metadata service at scale. For a bucket of many keys: bytes of state per object, memory, and the time of a
//! listing's page, of a backup and of a restore. Then commits per second with one and with three members on this
//! machine, beside the rate of fdatasync in the same run, and the cost of naming each command.
//!
//! `CAIRN_SCALE_KEYS` sets the number of keys (default: 10,000,000, which takes about 15 minutes) and
//! `CAIRN_SCALE_SECONDS` the time for each rate (default: 5).
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark is a process of its own, and prints"
)]

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cairn_benches::metadata::{bucket, clock, commit, fill, prepare, random};
use cairn_benches::{Rate, Unit, print_beside_limit};
use cairn_core::id::{MemberId, SessionId};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::testing::TestThreads;
use cairn_core::version::Versioning;
use cairn_metadata::backup::{RestoreOptions, restore, verify};
use cairn_metadata::{Dependencies, Handle, MetadataService, Options, router};
use cairn_protocol::metadata::command::{
    CommitObject, CreateBucket, DeleteObject, Precondition, SetBucketSetting, SettingChange,
};
use cairn_protocol::metadata::query::{GetClusterStatus, ListObjects, ListPosition};
use cairn_protocol::metadata::{Metadata, MetadataExt, Outcome};
use cairn_protocol::net::Listen;
use cairn_protocol::net::testing::LoopbackNetwork;
use cairn_protocol::rpc::testing::{client_of, serve as serve_rpc};
use cairn_protocol::rpc::{Execute, HttpMetadata, MetadataFailure, MetadataPath, Roles, RpcClient};
use cairn_protocol::storage::StorageDirectory;
use tempfile::TempDir;
use tokio::task::JoinSet;

const CLIENTS: [u64; 4] = [1, 16, 64, 256];
const PAGES: u64 = 200;

/// Unordered and without repetition, because the factor is odd.
fn key(n: u64) -> ObjectKey {
    ObjectKey::new(&format!("object-{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).unwrap()
}

async fn start(dir: &Path, member: MemberId, members: Vec<(MemberId, String)>) -> Handle {
    let rpc = client_of("secret", Roles::METADATA);
    let (storage, random) = (StorageDirectory::new(rpc.clone()), Arc::new(random()));
    let dependencies = Dependencies { clock: clock(), random, threads: Arc::new(TestThreads), storage, rpc };
    let session_lease = Duration::from_hours(24);
    let options = Options { member_id: member, members, session_lease, ..Options::new(dir) };
    MetadataService::start(options, dependencies).await.unwrap()
}

/// Members over HTTP on the loopback interface.
async fn serve(count: u64, dir: &TempDir) -> (Vec<Handle>, HttpMetadata, Vec<String>) {
    let mut listeners = Vec::new();
    for _ in 0..count {
        listeners.push(LoopbackNetwork.bind("127.0.0.1:0").await.unwrap());
    }
    let addrs: Vec<String> = listeners.iter().map(|l| l.local_addr().unwrap().to_string()).collect();
    let members: Vec<(MemberId, String)> = (1..).map(MemberId).zip(addrs.iter().cloned()).collect();
    let mut handles = Vec::new();
    for (listener, (id, _)) in listeners.into_iter().zip(&members) {
        let handle = start(&dir.path().join(format!("member{id}")), *id, members.clone()).await;
        tokio::spawn(serve_rpc(listener, "secret", router(handle.clone())));
        handles.push(handle);
    }
    let client = HttpMetadata::new(client_of("secret", Roles::METADATA), addrs.clone(), &random());
    while client.ask(GetClusterStatus {}).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (handles, client, addrs)
}

async fn store(metadata: &impl Metadata, session: SessionId, n: u64) {
    metadata.run(commit(session, n, key(n))).await.unwrap();
}

/// Sends a command without a name, as a client does that cannot repeat it.
async fn send_unnamed(rpc: &RpcClient, addr: &str, commit: CommitObject) {
    let message = Execute { command: commit.into(), call: None };
    let limit = Duration::from_secs(30);
    let sent = rpc.call::<_, Outcome, MetadataFailure>(addr, MetadataPath::EXECUTE.direct, &message, limit).await;
    sent.unwrap().unwrap();
}

/// The rate of commits by this many clients, and the 99th percentile of their times.
async fn rate<F>(
    clients: u64,
    next: &Arc<AtomicU64>,
    time: Duration,
    send: impl Fn(u64) -> F + Clone + Send + 'static,
) -> (Rate, Duration)
where
    F: Future<Output = ()> + Send,
{
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (next, send) = (Arc::clone(next), send.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            while begun.elapsed() < time {
                let asked = Instant::now();
                send(next.fetch_add(1, Ordering::Relaxed)).await;
                times.push(asked.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let per_s = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    (Rate { per_s, unit: Unit::Operations }, p99)
}

fn fdatasync(dir: &TempDir, time: Duration) -> Rate {
    let mut raw = File::create(dir.path().join("raw")).unwrap();
    Rate::measure(1, Unit::Operations, time, || raw.write_all(&[7; 16 << 10]).and_then(|()| raw.sync_data()).unwrap())
}

async fn commits(seconds: Duration) {
    let dir = TempDir::new().unwrap();
    let next = Arc::new(AtomicU64::new(0));
    let alone = Arc::new(start(&dir.path().join("alone"), MemberId(1), vec![(MemberId(1), String::new())]).await);
    let session = prepare(&*alone).await;
    for clients in CLIENTS {
        let limit = fdatasync(&dir, seconds / 4);
        let service = Arc::clone(&alone);
        let send = move |n| {
            let service = Arc::clone(&service);
            async move { store(&*service, session, n).await }
        };
        let (figure, p99) = rate(clients, &next, seconds, send).await;
        print_beside_limit(
            &format!("commits, one member in the process, {clients} clients, p99 {p99:?}"),
            figure,
            "fdatasync",
            limit,
        );
    }
    for count in [1, 3] {
        let (handles, client, addrs) = serve(count, &TempDir::new_in(dir.path()).unwrap()).await;
        let (client, session) = (Arc::new(client), prepare(&handles[0]).await);
        for clients in CLIENTS {
            let limit = fdatasync(&dir, seconds / 4);
            let service = Arc::clone(&client);
            let send = move |n| {
                let service = Arc::clone(&service);
                async move { store(&*service, session, n).await }
            };
            let (figure, p99) = rate(clients, &next, seconds, send).await;
            let name = format!("commits, {count} member(s) over HTTP, {clients} clients, p99 {p99:?}");
            print_beside_limit(&name, figure, "fdatasync", limit);
        }
        if count == 1 {
            compare_unnamed(&client, &addrs[0], session, &next, seconds).await;
        }
    }
}

/// Measures what it costs that a command can be repeated.
async fn compare_unnamed(
    named: &Arc<HttpMetadata>,
    addr: &str,
    session: SessionId,
    next: &Arc<AtomicU64>,
    seconds: Duration,
) {
    let rpc = client_of("secret", Roles::METADATA);
    for round in 1..=5 {
        let (one, rpc, addr) = (Arc::clone(named), rpc.clone(), addr.to_owned());
        let by_name = move |n| {
            let service = Arc::clone(&one);
            async move { store(&*service, session, n).await }
        };
        let without = move |n| {
            let (rpc, addr) = (rpc.clone(), addr.clone());
            async move { send_unnamed(&rpc, &addr, commit(session, n, key(n))).await }
        };
        let (named, _) = rate(64, next, seconds, by_name).await;
        let (unnamed, _) = rate(64, next, seconds, without).await;
        print_beside_limit(
            &format!("round {round}: commits that may be repeated, 64 clients"),
            named,
            "without names",
            unnamed,
        );
    }
}

async fn scale(keys: u64) {
    let dir = TempDir::new().unwrap();
    let home = dir.path().join("member");
    let service = Arc::new(start(&home, MemberId(1), vec![(MemberId(1), String::new())]).await);
    let session = prepare(&*service).await;
    let begun = Instant::now();
    fill(&service, keys, move |n| commit(session, n, key(n))).await;
    println!("{keys} keys in {:.0?}", begun.elapsed());
    let bytes = std::fs::metadata(home.join("state.redb")).unwrap().len();
    println!("state: {bytes} bytes, {} for each object", bytes / keys);
    println!("memory: {} MiB resident at most", peak_rss_bytes() >> 20);
    pages(&service, &bucket(), "1,000 keys").await;
    backups(service.as_ref(), dir.path(), keys).await;
    deleted(&service, session, keys).await;
}

/// Measures a listing's page, from anywhere in the bucket.
async fn pages(service: &Handle, bucket: &BucketName, what: &str) {
    let mut times = Vec::new();
    for page in 0..PAGES {
        let start = format!("object-{:016x}", page.wrapping_mul(0x0123_4567_89ab_cdef) >> 1);
        let query = ListObjects {
            bucket: bucket.clone(),
            prefix: String::new(),
            delimiter: String::new(),
            position: ListPosition::After(start),
            limit: 1000,
        };
        let asked = Instant::now();
        service.ask(query).await.unwrap();
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100];
    println!("a page of {what}: median {:?}, p99 {:?}", at(50), at(99));
}

/// Measures a versioned bucket in which 99 of 100 keys are deleted. Each is a version and a delete marker.
async fn deleted(service: &Arc<Handle>, session: SessionId, stored: u64) {
    let keys = stored / 10;
    let bucket = BucketName::new("deleted").unwrap();
    service.run(CreateBucket { name: bucket.clone(), region: String::new() }).await.unwrap();
    let change = SettingChange::Versioning(Versioning::Enabled);
    let set = SetBucketSetting { bucket: bucket.clone(), change, revision: None, now_ms: 0 };
    service.run(set).await.unwrap();
    let name = bucket.clone();
    fill(service, keys, move |n| CommitObject { bucket: name.clone(), ..commit(session, stored + n, key(n)) }).await;
    let name = bucket.clone();
    fill(service, keys - keys / 100, move |n| DeleteObject {
        bucket: name.clone(),
        key: key(n + n / 99 + 1),
        precondition: Precondition::default(),
        version: None,
        revision: None,
    })
    .await;
    pages(service, &bucket, &format!("a bucket of {keys} keys of which 99 in 100 are deleted")).await;
}

/// Measures a backup of the bucket and its restore.
async fn backups(service: &Handle, dir: &Path, keys: u64) {
    let path = dir.join("backup");
    let begun = Instant::now();
    let mut reader = service.backup().await.unwrap();
    let mut file = File::create(&path).unwrap();
    while let Some(piece) = reader.next_piece().unwrap() {
        file.write_all(&piece).unwrap();
    }
    file.sync_all().unwrap();
    println!(
        "a backup into a file, synced: {:.1?}, {} bytes a key",
        begun.elapsed(),
        file.metadata().unwrap().len() / keys
    );
    let open = || BufReader::with_capacity(1 << 20, File::open(&path).unwrap());
    let begun = Instant::now();
    assert_eq!(verify(open()).unwrap().objects, keys);
    println!("its verification: {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let options = RestoreOptions { dir: dir.join("restored"), member: MemberId(1), addr: String::new() };
    restore(open(), &options, &random()).unwrap();
    println!("its restoration: {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let restored = start(&options.dir, MemberId(1), vec![(MemberId(1), String::new())]).await;
    assert_eq!(restored.ask(GetClusterStatus {}).await.unwrap().objects, keys);
    println!("the start of the restored member, with every page verified: {:.1?}", begun.elapsed());
}

fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        // First, because it reports the peak memory of the process so far.
        scale(setting("CAIRN_SCALE_KEYS", 10_000_000)).await;
        commits(Duration::from_secs(setting("CAIRN_SCALE_SECONDS", 5))).await;
    });
}
