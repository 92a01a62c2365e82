//! Concurrent writers whose every acknowledgement is recorded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cairn_cli::s3::{Account, Client, CompletedPart, S3Error};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::{Content, Ledger, Outcome, Version, verify_body, wait_until};

/// How long an operation may take before it counts as hanging.
const HANG: Duration = Duration::from_mins(1);
/// How long clients may take to make progress during a fault.
const PROGRESS: Duration = Duration::from_mins(3);
/// Pause after an error.
const ERROR_PAUSE: Duration = Duration::from_millis(20);
/// Pause before the second attempt, and what each further pause is longer by.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Keys of each worker at a time: few, so that they are overwritten and deleted often.
const KEYS: u32 = 24;
const MIB: u64 = 1 << 20;

/// How often each operation is chosen, as weights, and how large objects are.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    /// Weight of PUT, new or over an older version.
    pub put: u32,
    /// Weight of GET, compared with what was acknowledged.
    pub get: u32,
    /// Weight of DELETE.
    pub delete: u32,
    /// Weight of a multipart upload in two parts.
    pub multipart: u32,
    /// Sizes of PUTs: one is chosen, and up to a tenth taken off.
    pub sizes: &'static [u64],
}

impl Default for Mix {
    fn default() -> Self {
        let sizes = &[100, 4 << 10, 16 << 10, 100 << 10, MIB, 6 * MIB];
        Self { put: 60, get: 20, delete: 15, multipart: 5, sizes }
    }
}

/// What the workers saw.
#[derive(Debug, Clone, Default)]
pub struct LoadStats {
    pub acknowledged: u64,
    /// Changes that were refused or never sent.
    pub refused: u64,
    /// Changes whose outcome is unknown.
    pub unknown: u64,
    /// Reads that were right.
    pub reads: u64,
    /// Reads that failed.
    pub read_failures: u64,
    /// Attempts after the first.
    pub retried: u64,
    /// Reads that returned what was never promised, and operations that hung: always a defect.
    pub violations: Vec<String>,
    /// The first few errors, to explain the counts.
    pub errors: Vec<String>,
}

/// A load to start.
#[derive(Debug, Clone)]
pub struct Load {
    /// Endpoints and keys. Each worker moves to the next after an error.
    pub accounts: Vec<Arc<Account>>,
    /// Must exist.
    pub bucket: String,
    pub mix: Mix,
    /// Number of workers. Each has its own keys.
    pub workers: u32,
    /// How often an operation is tried, each time at the next endpoint, before it counts as failed: 1, or 3 as SDKs behind a
    /// load balancer do.
    pub attempts: u32,
    /// Determines all random choices.
    pub seed: u64,
}

/// A load under way.
#[derive(Debug)]
pub struct RunningLoad {
    workers: JoinSet<()>,
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ledger: Mutex<Ledger>,
    stats: Mutex<LoadStats>,
}

impl Load {
    /// Starts the workers, which continue from the state in `ledger`.
    pub fn start(self, ledger: Ledger) -> RunningLoad {
        let stop = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared { ledger: Mutex::new(ledger), stats: Mutex::default() });
        let mut workers = JoinSet::new();
        for id in 0..self.workers {
            let worker = Worker {
                id,
                random: StdRng::seed_from_u64(self.seed.wrapping_add(u64::from(id))),
                keys: (0..KEYS).collect(),
                account: id as usize,
                client: Client::new(self.accounts[id as usize % self.accounts.len()].clone()),
                load: self.clone(),
                shared: shared.clone(),
            };
            workers.spawn(worker.run(stop.clone()));
        }
        RunningLoad { workers, stop, shared }
    }
}

impl RunningLoad {
    /// Changes acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.shared.stats.lock().expect("a lock").acknowledged
    }

    /// Waits until `count` further changes are acknowledged.
    pub async fn advance(&self, count: u64, when: &str) {
        let enough = self.acknowledged() + count;
        wait_until(&format!("clients make progress {when}"), PROGRESS, async || self.acknowledged() >= enough).await;
    }

    /// Lets every worker finish its operation, and returns the ledger. Panics if a promise was broken.
    pub async fn stop_kept(self) -> Ledger {
        let (ledger, stats) = self.stop().await;
        assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
        ledger
    }

    /// Lets every worker finish its operation, and returns the ledger and the counts.
    pub async fn stop(self) -> (Ledger, LoadStats) {
        self.stop.store(true, Ordering::Relaxed);
        self.workers.join_all().await;
        let ledger = self.shared.ledger.lock().expect("a lock").clone();
        let stats = self.shared.stats.lock().expect("a lock").clone();
        (ledger, stats)
    }
}

/// What came of an operation; the outer error is that it hung.
type Attempted<T> = Result<Result<T, S3Error>, tokio::time::error::Elapsed>;

/// Sends it as often as the load says; the last result counts, because all attempts send the same.
macro_rules! attempt {
    ($worker:ident, $send:expr) => {{
        let mut left = $worker.load.attempts;
        loop {
            let result = timeout(HANG, $send).await;
            if !$worker.tries_again(&result, &mut left).await {
                break result;
            }
        }
    }};
}

struct Worker {
    id: u32,
    random: StdRng,
    /// The numbers of the keys that it writes to.
    keys: Vec<u32>,
    account: usize,
    client: Client,
    load: Load,
    shared: Arc<Shared>,
}

impl Worker {
    async fn run(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::Relaxed) {
            let slot = self.random.random_range(0..KEYS) as usize;
            let key = format!("worker-{}/key-{}", self.id, self.keys[slot]);
            // A key whose state is not certain is not used again, and another takes its place: a later attempt must not
            // overtake one that is still on its way.
            let Some(state) = self.shared.ledger.lock().expect("a lock").certain(&key).cloned() else {
                self.keys[slot] += KEYS;
                continue;
            };
            let Mix { put, get, delete, multipart, .. } = self.load.mix;
            let choice = self.random.random_range(0..put + get + delete + multipart);
            if choice < put {
                self.put(&key).await;
            } else if choice < put + get {
                self.get(&key, state).await;
            } else if choice < put + get + delete {
                self.delete(&key).await;
            } else {
                self.multipart(&key).await;
            }
        }
    }

    async fn put(&mut self, key: &str) {
        let sizes = self.load.mix.sizes;
        let size = sizes[self.random.random_range(0..sizes.len())];
        let size = size - self.random.random_range(0..=size / 10);
        let content = Content::new(self.random.random(), size);
        let bucket = self.load.bucket.clone();
        let result = attempt!(self, self.client.put(&bucket, key, content.bytes()));
        self.changed("PUT", key, Some(Version::whole(content)), result).await;
    }

    async fn delete(&mut self, key: &str) {
        let bucket = self.load.bucket.clone();
        let result = attempt!(self, self.client.delete(&bucket, key));
        self.changed("DELETE", key, None, result).await;
    }

    async fn multipart(&mut self, key: &str) {
        let parts = vec![5 * MIB, self.random.random_range(1..=MIB)];
        let content = Content::new(self.random.random(), parts.iter().sum());
        match self.upload_parts(key, content, &parts).await {
            Ok(Ok((upload, completed))) => {
                let bucket = self.load.bucket.clone();
                let result = attempt!(self, self.client.complete_upload(&bucket, key, &upload, &completed));
                self.changed("CompleteMultipartUpload", key, Some(Version { content, parts }), result).await;
            }
            // Without its completion an upload changes nothing that can be read.
            Ok(Err(error)) => {
                self.note(key, "multipart upload", &error, |stats| stats.refused += 1);
                self.move_on().await;
            }
            Err(_) => self.violation(format!("{key}: a multipart upload hung for {HANG:?}")),
        }
    }

    async fn upload_parts(
        &mut self,
        key: &str,
        content: Content,
        parts: &[u64],
    ) -> Attempted<(String, Vec<CompletedPart>)> {
        let bucket = self.load.bucket.clone();
        let created = attempt!(self, self.client.create_upload(&bucket, key))?;
        let upload = match created {
            Ok(upload) => upload,
            Err(error) => return Ok(Err(error)),
        };
        let (mut completed, mut start) = (Vec::new(), 0);
        for (number, length) in (1..).zip(parts) {
            let body = content.slice(start..start + length);
            match attempt!(self, self.client.upload_part(&bucket, key, &upload, number, body.clone()))? {
                Ok(part) => completed.push(part),
                Err(error) => return Ok(Err(error)),
            }
            start += length;
        }
        Ok(Ok((upload, completed)))
    }

    async fn get(&mut self, key: &str, state: Option<Version>) {
        let bucket = self.load.bucket.clone();
        match attempt!(self, read(&mut self.client, &bucket, key, state.as_ref())) {
            Ok(Ok(None)) => self.shared.stats.lock().expect("a lock").reads += 1,
            Ok(Ok(Some(violation))) => {
                self.violation(violation);
                self.move_on().await;
            }
            Ok(Err(error)) => {
                self.note(key, "GET", &error, |stats| stats.read_failures += 1);
                self.move_on().await;
            }
            Err(_) => self.violation(format!("{key}: a GET hung for {HANG:?}")),
        }
    }

    async fn changed<T>(&mut self, what: &str, key: &str, state: Option<Version>, result: Attempted<T>) {
        let outcome = match &result {
            Ok(Ok(_)) => Outcome::Yes,
            Ok(Err(error)) if error.is_definitely_no() => Outcome::No,
            Ok(Err(_)) | Err(_) => Outcome::Unknown,
        };
        self.shared.ledger.lock().expect("a lock").record(key, state, outcome);
        match result {
            Ok(Ok(_)) => self.shared.stats.lock().expect("a lock").acknowledged += 1,
            Ok(Err(error)) => {
                self.note(key, what, &error, |stats| match outcome {
                    Outcome::No => stats.refused += 1,
                    Outcome::Yes | Outcome::Unknown => stats.unknown += 1,
                });
                self.move_on().await;
            }
            Err(_) => {
                self.violation(format!("{key}: a {what} hung for {HANG:?}"));
                self.move_on().await;
            }
        }
    }

    /// Whether to send it again. If so, the next endpoint is next, and it is time.
    async fn tries_again<T>(&mut self, result: &Attempted<T>, left: &mut u32) -> bool {
        *left = left.saturating_sub(1);
        if *left == 0 || !matches!(result, Ok(Err(error)) if error.may_be_retried()) {
            return false;
        }
        self.shared.stats.lock().expect("a lock").retried += 1;
        self.move_on().await;
        sleep(RETRY_PAUSE * (self.load.attempts - *left)).await;
        true
    }

    /// Moves to the next endpoint, after a pause.
    async fn move_on(&mut self) {
        self.account += 1;
        self.client = Client::new(self.load.accounts[self.account % self.load.accounts.len()].clone());
        sleep(ERROR_PAUSE).await;
    }

    fn note(&self, key: &str, what: &str, error: &S3Error, count: impl FnOnce(&mut LoadStats)) {
        let mut stats = self.shared.stats.lock().expect("a lock");
        count(&mut stats);
        if stats.errors.len() < 20 {
            stats.errors.push(format!("{what} {key}: {error}"));
        }
    }

    fn violation(&self, text: String) {
        self.shared.stats.lock().expect("a lock").violations.push(text);
    }
}

/// Reads an object and compares it with what was acknowledged: `Some` says what promise was broken.
async fn read(
    client: &mut Client,
    bucket: &str,
    key: &str,
    state: Option<&Version>,
) -> Result<Option<String>, S3Error> {
    match (client.get(bucket, key).await, state) {
        (Ok(body), Some(version)) => match verify_body(body, version.content, 0..version.content.length).await {
            Ok(()) => Ok(None),
            Err(crate::Mismatch::Read(error)) => Err(error),
            Err(other) => Ok(Some(format!("{key} should hold {version:?}, and {other}"))),
        },
        (Ok(_), None) => Ok(Some(format!("{key} was deleted, and GET finds it"))),
        (Err(error), None) if error.code() == "NoSuchKey" => Ok(None),
        (Err(error), Some(version)) if error.code() == "NoSuchKey" => {
            Ok(Some(format!("{key} should hold {version:?}, and GET says NoSuchKey")))
        }
        (Err(error), _) => Err(error),
    }
}
