//! Concurrent S3 clients against gateways with three metadata processes, while members are killed, paused, cut off and
//! replaced: the history of every key must be linearizable, and every listing must show what was acknowledged (I19, I28).
//!
//! A listing counts as a read of every key under its prefix. `CAIRN_DRILL_SECONDS` sets the time (default: 60), and
//! `CAIRN_SEED` the choices. On failure the seed and the history of the key are kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, says what it saw, and measures time"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cairn_cli::s3::{Account, Client, ListQuery, S3Error, S3Request};
use cairn_tests::linearizability::{Answer, Call, Operation, Value, Verdict, check};
use cairn_tests::network::Network;
use cairn_tests::{Content, ProcessCluster, seed, verify_body};
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderValue, Method, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const BUCKET: &str = "history";
const CLIENTS: u32 = 6;
/// Keys that are in use at the same time, and for how long: then others take their place, so that a history is short
/// enough to be decided.
const KEYS: u64 = 5;
const GENERATION: Duration = Duration::from_secs(6);
/// After this time a client stops waiting, and the outcome is unknown.
const PATIENCE: Duration = Duration::from_secs(8);
/// Pause after an error, so that an outage does not fill the history with attempts.
const ERROR_PAUSE: Duration = Duration::from_millis(150);
const MEMBERS: usize = 3;

/// Everything that the clients observed.
#[derive(Default)]
struct History {
    calls: Mutex<BTreeMap<String, Vec<Call>>>,
    operations: AtomicU64,
    unknown: AtomicU64,
    listings: AtomicU64,
    /// Violations that are found without a search.
    defects: Mutex<Vec<String>>,
}

impl History {
    fn add(&self, key: &str, call: Call) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        if call.answer == Answer::Unknown {
            self.unknown.fetch_add(1, Ordering::Relaxed);
        }
        self.calls.lock().unwrap().entry(key.to_owned()).or_default().push(call);
    }

    fn defect(&self, text: String) {
        self.defects.lock().unwrap().push(text);
    }
}

struct Worker {
    random: StdRng,
    accounts: Vec<Arc<Account>>,
    client: Client,
    history: Arc<History>,
    begun: Instant,
    /// Names the values: the size of each object is its name, and says which bytes belong into it.
    names: Arc<AtomicU64>,
}

/// Whether an error says that nothing was done, or leaves the outcome unknown.
fn is_no(error: &S3Error) -> bool {
    error.is_definitely_no()
}

impl Worker {
    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn key(&mut self) -> (String, String) {
        let generation = self.begun.elapsed().as_secs() / GENERATION.as_secs();
        let prefix = format!("g{generation:05}/");
        (format!("{prefix}k{}", self.random.random_range(0..KEYS)), prefix)
    }

    /// A value that was never written before. The smallest is far from zero.
    fn value(&self) -> u64 {
        100 + self.names.fetch_add(1, Ordering::Relaxed) % 12_000
    }

    async fn run(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::Relaxed) {
            let (key, prefix) = self.key();
            let well = match self.random.random_range(0..100) {
                0..30 => self.put(&key).await,
                30..58 => self.get(&key).await,
                58..70 => self.delete(&key).await,
                70..80 => self.create(&key).await,
                80..88 => self.replace(&key).await,
                88..95 => self.list(&prefix).await,
                _ => self.multipart(&key).await,
            };
            if !well {
                let other = self.random.random_range(0..self.accounts.len());
                self.client = Client::new(Arc::clone(&self.accounts[other]));
                sleep(ERROR_PAUSE).await;
            }
        }
    }

    /// Records a change. Returns whether the connection is good for more.
    fn changed<T>(
        &self,
        key: &str,
        operation: Operation,
        called_ns: u64,
        result: Result<Result<T, S3Error>, tokio::time::error::Elapsed>,
    ) -> bool {
        let answered_ns = self.now();
        let call = |answer| Call { operation, answer, called_ns, answered_ns };
        match result {
            Ok(Ok(_)) => self.history.add(key, call(Answer::Done)),
            Ok(Err(error)) if error.code() == "PreconditionFailed" || error.code() == "NoSuchKey" => {
                self.history.add(key, call(Answer::ConditionFailed));
            }
            Ok(Err(error)) if is_no(&error) => return false,
            Ok(Err(_)) | Err(_) => {
                self.history.add(key, call(Answer::Unknown));
                return false;
            }
        }
        true
    }

    async fn put(&mut self, key: &str) -> bool {
        let (value, called) = (self.value(), self.now());
        let body = Content::new(value, value).bytes();
        let result = timeout(PATIENCE, self.client.put(BUCKET, key, body)).await;
        self.changed(key, Operation::Write(Some(value)), called, result)
    }

    async fn delete(&mut self, key: &str) -> bool {
        let called = self.now();
        let result = timeout(PATIENCE, self.client.delete(BUCKET, key)).await;
        self.changed(key, Operation::Write(None), called, result)
    }

    async fn create(&mut self, key: &str) -> bool {
        let (value, called) = (self.value(), self.now());
        let request = S3Request::new(Method::PUT, BUCKET, key)
            .header(IF_NONE_MATCH, HeaderValue::from_static("*"))
            .body(Content::new(value, value).bytes());
        let result = timeout(PATIENCE, self.client.execute_document(request)).await;
        self.changed(key, Operation::WriteIf { expected: None, value }, called, result)
    }

    /// Reads the key and replaces the value that it found.
    async fn replace(&mut self, key: &str) -> bool {
        let Ok(Ok(info)) = timeout(PATIENCE, self.client.head(BUCKET, key)).await else { return false };
        let (Some(found), Some(etag)) = (info.length(), info.etag()) else { return true };
        let (value, called) = (self.value(), self.now());
        let request = S3Request::new(Method::PUT, BUCKET, key)
            .header(IF_MATCH, HeaderValue::from_str(&format!("\"{etag}\"")).unwrap())
            .body(Content::new(value, value).bytes());
        let result = timeout(PATIENCE, self.client.execute_document(request)).await;
        self.changed(key, Operation::WriteIf { expected: Some(found), value }, called, result)
    }

    async fn multipart(&mut self, key: &str) -> bool {
        let value = self.value();
        let body = Content::new(value, value).bytes();
        let begin = async {
            let upload = self.client.create_upload(BUCKET, key).await?;
            let part = self.client.upload_part(BUCKET, key, &upload, 1, body).await?;
            Ok::<_, S3Error>((upload, part))
        };
        let Ok(Ok((upload, part))) = timeout(PATIENCE, begin).await else { return false };
        let called = self.now();
        let result = timeout(PATIENCE, self.client.complete_upload(BUCKET, key, &upload, &[part])).await;
        self.changed(key, Operation::Write(Some(value)), called, result)
    }

    async fn get(&mut self, key: &str) -> bool {
        let called_ns = self.now();
        let found = timeout(PATIENCE, read(&mut self.client, key)).await;
        let answered_ns = self.now();
        match found {
            Ok(Ok(found)) => {
                let (operation, answer) = (Operation::Read, Answer::Found(found));
                self.history.add(key, Call { operation, answer, called_ns, answered_ns });
                true
            }
            Ok(Err(Some(defect))) => {
                self.history.defect(format!("{key}: {defect}"));
                false
            }
            Ok(Err(None)) | Err(_) => false,
        }
    }

    async fn list(&mut self, prefix: &str) -> bool {
        let called_ns = self.now();
        let query = ListQuery { prefix, max_keys: Some(1000), ..ListQuery::default() };
        let Ok(Ok(page)) = timeout(PATIENCE, self.client.list(BUCKET, &query)).await else { return false };
        let answered_ns = self.now();
        let listed: BTreeMap<&str, u64> = page.objects.iter().map(|o| (o.key.as_str(), o.size)).collect();
        if !listed.keys().is_sorted() || listed.len() != page.objects.len() {
            self.history.defect(format!("{prefix}: the listing is not in order, or names a key twice"));
        }
        self.history.listings.fetch_add(1, Ordering::Relaxed);
        for key in (0..KEYS).map(|n| format!("{prefix}k{n}")) {
            let answer = Answer::Found(listed.get(key.as_str()).copied());
            self.history.add(&key, Call { operation: Operation::Read, answer, called_ns, answered_ns });
        }
        true
    }
}

/// What a read of a key returned: a value, a violation, or an unknown outcome.
async fn read(client: &mut Client, key: &str) -> Result<Value, Option<String>> {
    match client.get(BUCKET, key).await {
        Ok(body) => {
            let Some(size) = body.info().length() else { return Err(Some("no length".to_owned())) };
            match verify_body(body, Content::new(size, size), 0..size).await {
                Ok(()) => Ok(Some(size)),
                Err(cairn_tests::Mismatch::Read(_)) => Err(None),
                Err(mismatch) => Err(Some(format!("of {size} bytes: {mismatch}"))),
            }
        }
        Err(error) if error.code() == "NoSuchKey" => Ok(None),
        Err(S3Error::Service(error)) if error.status == StatusCode::NOT_FOUND => Err(Some(error.to_string())),
        Err(_) => Err(None),
    }
}

/// Harms the members while the clients run.
struct Nemesis {
    random: StdRng,
    faults: BTreeMap<&'static str, u32>,
}

impl Nemesis {
    fn count(&mut self, fault: &'static str) {
        *self.faults.entry(fault).or_default() += 1;
    }

    fn pause(&mut self, from_ms: u64, to_ms: u64) -> Duration {
        Duration::from_millis(self.random.random_range(from_ms..to_ms))
    }

    /// One fault from its beginning to its end.
    async fn strike(&mut self, cluster: &mut ProcessCluster) {
        // Often the leader, whose failures matter most.
        let leader = timeout(Duration::from_secs(5), cluster.metadata_leader()).await.unwrap_or(0);
        let victim = if self.random.random_range(0..3) < 2 { leader } else { self.random.random_range(0..MEMBERS) };
        let kinds = if cluster.network().is_some() { 6 } else { 4 };
        match self.random.random_range(0..kinds) {
            0 => {
                self.count("kill -9 of a member");
                cluster.kill_metadata_member(victim);
                sleep(self.pause(200, 2500)).await;
                cluster.spawn_metadata(victim);
            }
            1 => {
                self.count("SIGSTOP of a member");
                let process = cluster.metadata_process(victim).expect("a process");
                process.pause();
                let pause = self.pause(300, 5000);
                sleep(pause).await;
                cluster.metadata_process(victim).expect("a process").resume();
            }
            2 => {
                self.count("change of the leader");
                let next = ((leader + 1) % MEMBERS + 1).to_string();
                // Refused where a member has not recovered from the fault before.
                let _ = verb(cluster, victim, &["metadata", "members", "transfer-leader", &next]);
            }
            3 => self.exchange(cluster, leader).await,
            4 => {
                self.count("a member cut off from everybody");
                let network = cluster.network().expect("a network");
                network.set_isolated(victim as u8 + 1, true);
                sleep(self.pause(500, 6000)).await;
                cluster.network().expect("a network").set_isolated(victim as u8 + 1, false);
            }
            _ => {
                self.count("members cut off from each other");
                let others: Vec<usize> = (0..MEMBERS).filter(|other| *other != victim).collect();
                let cut = if self.random.random_bool(0.5) { &others[..] } else { &others[..1] };
                let set = |parted| {
                    for other in cut {
                        cluster.network().expect("a network").set_parted(victim as u8 + 1, *other as u8 + 1, parted);
                    }
                };
                set(true);
                sleep(self.pause(500, 6000)).await;
                set(false);
            }
        }
    }

    /// Takes a member out of the group and puts it back with an empty directory.
    async fn exchange(&mut self, cluster: &mut ProcessCluster, leader: usize) {
        let member = (leader + 1) % MEMBERS;
        let number = (member + 1).to_string();
        if !verb(cluster, leader, &["metadata", "members", "remove", &number]) {
            return;
        }
        self.count("a member exchanged");
        cluster.kill_metadata_member(member);
        std::fs::remove_dir_all(cluster.metadata_dir(member)).unwrap();
        cluster.spawn_metadata(member);
        let addr = cluster.metadata_addr(member);
        for _ in 0..50 {
            if verb(cluster, leader, &["metadata", "members", "add", &number, &addr]) {
                return;
            }
            sleep(Duration::from_millis(300)).await;
        }
        panic!("member {number} cannot be added again");
    }
}

/// Runs a verb while the clients run. Returns whether it succeeded.
fn verb(cluster: &ProcessCluster, member: usize, arguments: &[&str]) -> bool {
    let output = tokio::task::block_in_place(|| cluster.verb(member, arguments));
    output.status.success()
}

fn hosts() -> Option<Network> {
    let made = Network::create().and_then(|mut network| {
        for host in 1..=MEMBERS as u8 {
            network.add_host(host)?;
        }
        Ok(network)
    });
    match made {
        Ok(network) => Some(network),
        Err(reason) => {
            eprintln!("no partitions: network namespaces cannot be made here ({reason})");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_key_is_linearizable_while_members_fail() {
    let seconds: u64 = std::env::var("CAIRN_DRILL_SECONDS").map_or(60, |text| text.parse().expect("seconds"));
    let seed = seed();
    let mut cluster = ProcessCluster::builder().members(MEMBERS).nodes(3).network(hosts()).start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    let history = Arc::new(History::default());
    let (stop, names, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Instant::now());
    let mut workers = JoinSet::new();
    for id in 0..CLIENTS {
        let accounts = cluster.accounts();
        let worker = Worker {
            random: StdRng::seed_from_u64(seed.wrapping_add(u64::from(id))),
            client: Client::new(Arc::clone(&accounts[id as usize % accounts.len()])),
            accounts,
            history: Arc::clone(&history),
            begun,
            names: Arc::clone(&names),
        };
        workers.spawn(worker.run(Arc::clone(&stop)));
    }
    let mut nemesis = Nemesis { random: StdRng::seed_from_u64(seed.wrapping_add(1 << 32)), faults: BTreeMap::new() };
    while begun.elapsed() < Duration::from_secs(seconds) {
        sleep(nemesis.pause(500, 2500)).await;
        nemesis.strike(&mut cluster).await;
    }
    cluster.start_missing().await;
    sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::Relaxed);
    workers.join_all().await;
    judge(&history, &nemesis, seed);
    cluster.stop().await;
}

fn judge(history: &History, nemesis: &Nemesis, seed: u64) {
    let calls = history.calls.lock().unwrap();
    let mut wrong: Vec<(&str, Verdict)> = Vec::new();
    for (key, calls) in calls.iter() {
        match check(calls) {
            Verdict::Linearizable => {}
            verdict => wrong.push((key, verdict)),
        }
    }
    let defects = history.defects.lock().unwrap();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    eprintln!("operations: {} on {} keys", count(&history.operations), calls.len());
    eprintln!("listings: {}, outcomes not known: {}", count(&history.listings), count(&history.unknown));
    for (fault, times) in &nemesis.faults {
        eprintln!("fault: {times} times {fault}");
    }
    eprintln!("violations: {}", wrong.len() + defects.len());
    assert!(count(&history.operations) > 0 && !nemesis.faults.is_empty(), "the drill did nothing");
    if wrong.is_empty() && defects.is_empty() {
        return;
    }
    let mut text = format!("seed {seed}\n{defects:#?}\n");
    for (key, verdict) in &wrong {
        let _ = writeln!(text, "{key}: {verdict:?}");
        let mut sorted = calls[*key].clone();
        sorted.sort_by_key(|call| call.called_ns);
        for call in sorted {
            let _ = writeln!(text, "  {call:?}");
        }
    }
    let path = std::env::temp_dir().join(format!("cairn-history-{seed}.txt"));
    std::fs::write(&path, text).unwrap();
    panic!(
        "{} keys and {} defects; the history is in {}: {wrong:?} {defects:#?}",
        wrong.len(),
        defects.len(),
        path.display()
    );
}
