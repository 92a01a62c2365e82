//! The n-th write, sync or read of a real process fails, for one n after the other, while a client writes.
//!
//! Covers I1 and I2 (nothing acknowledged is lost, whichever call failed), I9 and
//! I21 (it says what happened, and blames a disk only for what the disk did). Each round starts the process with one
//! fault, kills it, and starts it without. A call that is made to fail is not carried out; but the page cache outlives
//! the process, so what a failed *sync* loses with the power is shown by the simulated disk of the storage node's own
//! tests, not here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints its progress"
)]

use std::time::Duration;

use cairn_cli::admin::DiskState;
use cairn_tests::{AllInOne, Injection, Ledger, Load, Mix, eventually, ledger_check, seed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const BUCKET: &str = "failing";
/// The disk whose files fail, where not all do.
const DISK: u32 = 3;
/// Calls that fail in a short run. A long one (`CAIRN_IO_ERRORS=all`) takes one after the other until no call is left.
const SHORT_ONE_DISK: [u32; 5] = [1, 2, 3, 5, 9];
/// The same where every thread's n-th call fails: the first ones already keep the process from coming up.
const SHORT_EVERYWHERE: [u32; 5] = [2, 10, 14, 22, 40];
/// Most calls of one kind that fail in a long run.
const LONG_MAX: u32 = 300;
/// Bytes of the objects that are written.
const SIZES: &[u64] = &[100, 4 << 10, 20 << 10, 200 << 10, 3 << 20];
/// Changes after which a round has seen enough, and the time after which it ends anyway.
const ENOUGH: u64 = 40;
const ROUND: Duration = Duration::from_secs(2);

/// How long a disk's state may take to be known.
const LIMIT: Duration = Duration::from_secs(20);
/// Time between two looks at whether a process is up, and how many there are.
const READY_POLL: Duration = Duration::from_millis(20);
const READY_POLLS: u32 = 100;

/// A kind of fault.
#[derive(Debug, Clone, Copy)]
struct Kind {
    call: &'static str,
    error: &'static str,
    /// Only on one disk's volumes; else wherever a thread makes its n-th such call, the metadata log included.
    one_disk: bool,
}

impl Kind {
    /// Whether reads fail, and all further ones too: a read that fails once is made again, and nobody would notice.
    fn is_read(self) -> bool {
        self.call.starts_with("pread")
    }
}

const KINDS: [Kind; 9] = [
    Kind { call: "fdatasync", error: "EIO", one_disk: true },
    Kind { call: "pwritev", error: "EIO", one_disk: true },
    Kind { call: "pwritev", error: "ENOSPC", one_disk: true },
    Kind { call: "fallocate", error: "ENOSPC", one_disk: true },
    Kind { call: "fdatasync", error: "EIO", one_disk: false },
    Kind { call: "fsync", error: "EIO", one_disk: false },
    Kind { call: "pwrite64", error: "EIO", one_disk: false },
    Kind { call: "pwrite64", error: "ENOSPC", one_disk: false },
    // Once there is something to read. What is in the page cache is read by the second.
    Kind { call: "pread64,preadv2", error: "EIO", one_disk: true },
];

struct Drill {
    server: AllInOne,
    ledger: Ledger,
    random: StdRng,
    rounds: u32,
}

impl Drill {
    /// One round: the `when`-th call fails. False if there was no such call.
    async fn round(&mut self, kind: Kind, when: u32) -> bool {
        let name = format!("{} {} when={when} one_disk={}", kind.call, kind.error, kind.one_disk);
        self.rounds += 1;
        let injection = Injection {
            calls: kind.call,
            what: format!("error={}:when={when}{}", kind.error, if kind.is_read() { "+" } else { "" }),
            paths: if kind.one_disk { self.server.volume_paths(DISK) } else { Vec::new() },
            trace: self.server.workdir().logs().join(format!("strace-{}.log", self.rounds)),
        };
        self.server.spawn_injected(&injection);
        if self.is_up(&injection).await {
            self.load(&name).await;
        }
        let injected = injection.injected();
        if injected > 0 {
            self.says_what_happened(kind, &name).await;
        }
        self.server.kill();
        self.server.start_again().await;
        ledger_check::assert_kept(&self.server.account(), BUCKET, &mut self.ledger, &format!("after {name}")).await;
        if kind.is_read() {
            // The next start reads the end of the log again.
            self.server.kill();
        } else {
            self.server.stop().await;
        }
        eprintln!("{name}: {injected} calls failed; {} acknowledged so far", self.ledger.acknowledged());
        injected > 0
    }

    /// Waits until the server is ready. It may never be, if the fault met it before: then it must have said so.
    async fn is_up(&mut self, injection: &Injection) -> bool {
        for _ in 0..READY_POLLS {
            if self.server.is_ready().await {
                return true;
            }
            if !self.server.process().is_alive() {
                return false;
            }
            tokio::time::sleep(READY_POLL).await;
        }
        assert!(injection.injected() > 0, "the server does not come up, and no call has failed");
        false
    }

    async fn load(&mut self, name: &str) {
        let load = Load {
            accounts: vec![self.server.account()],
            bucket: BUCKET.to_owned(),
            mix: Mix { sizes: SIZES, multipart: 2, ..Mix::default() },
            workers: 4,
            attempts: 1,
            seed: self.random.random(),
        };
        let running = load.start(std::mem::take(&mut self.ledger));
        let mut waited = Duration::ZERO;
        let before = running.acknowledged();
        while running.acknowledged() < before + ENOUGH && waited < ROUND {
            tokio::time::sleep(Duration::from_millis(20)).await;
            waited += Duration::from_millis(20);
        }
        let (ledger, stats) = running.stop().await;
        self.ledger = ledger;
        assert!(stats.violations.is_empty(), "{name}: {:#?}", stats.violations);
    }

    /// Demands that the log or the admin API names the failure.
    async fn says_what_happened(&mut self, kind: Kind, name: &str) {
        let text = match kind.error {
            "ENOSPC" => "No space left on device",
            _ => "Input/output error",
        };
        let log = self.server.process().log_text();
        let reasons: Vec<String> = match self.server.admin().disks().await {
            Ok(disks) => disks.into_iter().filter_map(|disk| disk.reason).collect(),
            Err(_) => Vec::new(),
        };
        if kind.one_disk && !kind.is_read() {
            self.blames_the_disk_for_its_errors_only(kind, name).await;
        }
        let said = log.contains(text) || reasons.iter().any(|reason| reason.contains(text));
        assert!(said, "{name}: neither the log nor the disks' reasons ({reasons:?}) say {text:?}");
    }
}

impl Drill {
    /// A disk that fails becomes suspect. A full disk does not.
    async fn blames_the_disk_for_its_errors_only(&self, kind: Kind, name: &str) {
        eventually(&format!("{name}: the disk's state follows"), LIMIT, async || {
            let disk = self.server.disk_entry(DISK).await;
            let is_right = (disk.state == DiskState::Suspect) == (kind.error == "EIO");
            if is_right { Ok(()) } else { Err(format!("{disk:?}")) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_writes_and_syncs_lose_nothing_acknowledged() {
    let is_long = std::env::var("CAIRN_IO_ERRORS").is_ok_and(|text| text == "all");
    let mut server = AllInOne::start().await;
    server.client().create_bucket(BUCKET).await.unwrap();
    server.stop().await;
    let random = StdRng::seed_from_u64(seed());
    let mut drill = Drill { server, ledger: Ledger::new(), random, rounds: 0 };
    for kind in KINDS {
        let mut met = 0;
        let short = if kind.one_disk { SHORT_ONE_DISK } else { SHORT_EVERYWHERE };
        for when in (1..=LONG_MAX).filter(|when| is_long || short.contains(when)) {
            if drill.round(kind, when).await {
                met += 1;
            } else {
                break;
            }
        }
        assert!(met > 0, "{kind:?}: there was no such call");
        eprintln!("{kind:?}: {met} rounds met their fault");
    }
    assert!(drill.ledger.acknowledged() > 100, "only {} changes were acknowledged", drill.ledger.acknowledged());
}
