//! Everything at once, over and over: a disk hangs all the time, while directions are cut, nodes fall silent and members go away.
//! A prober asks for the state of the cluster all the while: it says how long there was nobody to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cairn_cli::admin::{AdminClient, DiskState};
use cairn_tests::{Injection, Ledger, ProcessCluster, STORAGE_NODES, eventually, seed};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::one_way::{Cut, MEMBERS, network, start_on, strike};
use super::*;

/// The node with the disk that hangs, the one that falls silent.
const HANGING: usize = 5;
const SILENT: usize = 1;
/// How long the calls of the hanging disk take: longer than anybody waits.
const HANGS_FOR: &str = "delay_enter=30000000";
/// How long a member is away at least, and the commits that it misses at least: the log is purged by 256 entries or more, of as
/// many commits as there are writers or less.
const AWAY: Duration = Duration::from_secs(10);
const MISSED: u64 = 15_000;
/// Writers of empty objects, whose commits are all that they cost, while a member is away and until it is back.
const FLOOD_WORKERS: u32 = 48;
const FLOOD_BUCKET: &str = "flood";
/// What a member logs that has taken a snapshot.
const SNAPSHOT_TAKEN: &str = "the state was replaced by a snapshot";
/// Entries that a member may lack which has come back: those of about a second.
const LAG_MAX: u64 = 500;
/// Pause between two questions of the prober, and how long it waits for an answer.
const PROBE: Duration = Duration::from_millis(100);
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// Whatever happens, a healthy and connected majority has a leader that answers again within this time.
const LEADERLESS_MAX: Duration = Duration::from_secs(15);

/// Asks the members in turn for the state of the cluster, which only the leader knows. Its end is the longest time without an
/// answer.
struct Prober {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Duration>,
}

impl Prober {
    fn start(mut members: Vec<AdminClient>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let (mut answered, mut longest) = (Instant::now(), Duration::ZERO);
            while !stopped.load(Ordering::Relaxed) {
                for member in &mut members {
                    if matches!(timeout(PROBE_LIMIT, member.cluster()).await, Ok(Ok(_))) {
                        longest = longest.max(answered.elapsed());
                        answered = Instant::now();
                        sleep(PROBE).await;
                    }
                }
            }
            longest.max(answered.elapsed())
        });
        Self { stop, task }
    }

    async fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the prober")
    }
}

/// Lets a disk of a node hang: nothing that is written there comes back.
async fn hang_a_disk(cluster: &mut ProcessCluster) {
    let injection = Injection {
        calls: "pwritev,fdatasync",
        what: HANGS_FOR.to_owned(),
        paths: cluster.volume_paths(HANGING, 0),
        trace: cluster.workdir().logs().join("strace-hanging.log"),
    };
    cluster.restart_node_injected(HANGING, &injection).await;
}

/// Stops a node for a while without a word. Returns how long it took until its disks were known to be away.
async fn silence(cluster: &ProcessCluster) -> Duration {
    let numbers = cluster.disk_numbers(SILENT).await;
    let process = cluster.node_process(SILENT);
    process.pause();
    let begun = Instant::now();
    eventually("a silent node is noticed", LIMIT, async || {
        let disks = cluster.admin().disks().await.map_err(|error| error.to_string())?;
        let there = disks.iter().filter(|disk| numbers.contains(&disk.number) && disk.state != DiskState::Unavailable);
        if there.count() == 0 { Ok(()) } else { Err("its disks are still taken for active".to_owned()) }
    })
    .await;
    let took = begun.elapsed();
    process.resume();
    took
}

/// What came of a member's absence.
struct Absence {
    /// From its start until it votes and has everything.
    votes_after: Duration,
    /// Commits in each second, until it was back.
    commits_per_s: f64,
}

/// Kills a follower, lets it miss more than the others' log holds, and starts it, all under a flood of commits.
async fn away(cluster: &mut ProcessCluster, flooded: &mut Ledger, seed: u64) -> Absence {
    let index = (cluster.metadata_leader().await + 1) % usize::from(MEMBERS);
    cluster.kill_metadata_member(index);
    let flood = flood(cluster, std::mem::take(flooded), seed);
    let begun = Instant::now();
    sleep(AWAY).await;
    flood.advance(MISSED.saturating_sub(flood.acknowledged()), "while a member is away").await;
    let started = Instant::now();
    cluster.start_metadata(index).await;
    let number = index as u64 + 1;
    eventually("the member votes and has everything", LIMIT, async || {
        let members = cluster.admin().metadata_members().await.map_err(|error| error.to_string())?;
        let member = members.members.iter().find(|member| member.member == number);
        let is_back = member.is_some_and(|m| m.answers && m.lag_entries.is_some_and(|lag| lag < LAG_MAX));
        if is_back { Ok(()) } else { Err(format!("{member:?}")) }
    })
    .await;
    let (votes_after, elapsed) = (started.elapsed(), begun.elapsed());
    let commits = flood.acknowledged();
    *flooded = flood.stop_kept().await;
    let log = cluster.log_of(&format!("metadata{number}"));
    assert!(log.contains(SNAPSHOT_TAKEN), "the member found what it had missed in the log:\n{log}");
    Absence { votes_after, commits_per_s: commits as f64 / elapsed.as_secs_f64() }
}

/// Commits as fast as they go.
fn flood(cluster: &ProcessCluster, ledger: Ledger, seed: u64) -> RunningLoad {
    let mix = Mix { put: 3, get: 0, delete: 1, multipart: 0, sizes: &[0] };
    let (accounts, bucket) = (cluster.accounts(), FLOOD_BUCKET.to_owned());
    Load { accounts, bucket, mix, workers: FLOOD_WORKERS, attempts: 1, seed }.start(ledger)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_stands_still_while_everything_goes_wrong() {
    let network = match network() {
        Ok(network) => network,
        Err(why) => return eprintln!("SKIPPED, hosts of their own need root and iproute2: {why}"),
    };
    let (seed, rounds) = (seed(), count("CAIRN_HARD_ROUNDS", 1));
    let mut cluster = start_on(network).await;
    let running = load(&cluster, Ledger::new(), seed);
    cluster.client(0).create_bucket(FLOOD_BUCKET).await.unwrap();
    let mut flooded = Ledger::new();
    running.advance(50, "before the first fault").await;
    hang_a_disk(&mut cluster).await;
    let prober = Prober::start((0..usize::from(MEMBERS)).map(|index| cluster.metadata_admin(index)).collect());
    let (begun, mut worst, mut commits_per_s) = (Instant::now(), [Duration::ZERO; 3], f64::MAX);
    for round in 0..rounds {
        // A short run makes one cut of each kind of role.
        let cuts: Vec<Cut> = if rounds > 1 { Cut::ALL.to_vec() } else { vec![Cut::ToLeader, Cut::NodeToMembers] };
        for cut in cuts {
            worst[0] = worst[0].max(strike(&cluster, &running, cut).await);
        }
        worst[1] = worst[1].max(silence(&cluster).await);
        running.advance(50, "after a node was silent").await;
        let absence = away(&mut cluster, &mut flooded, seed.wrapping_add(u64::from(round))).await;
        worst[2] = worst[2].max(absence.votes_after);
        commits_per_s = commits_per_s.min(absence.commits_per_s);
        eprintln!("round {round}: worst so far {worst:.1?}, {commits_per_s:.0} commits/s while a member was away");
    }
    let (elapsed, leaderless) = (begun.elapsed(), prober.stop().await);
    cluster.kill_node(HANGING);
    cluster.start_node(HANGING).await;
    cluster.wait_disks_active().await;
    let acknowledged = running.acknowledged();
    let mut ledger = running.stop_kept().await;
    kept(&cluster, &mut ledger, "after everything").await;
    ledger_check::assert_kept(&cluster.account(0), FLOOD_BUCKET, &mut flooded, "after everything").await;
    cluster.stop_sound("after everything").await;
    assert!(leaderless < LEADERLESS_MAX, "nobody answered for {leaderless:?}");
    let [cut, silent, voting] = worst.map(|worst| worst.as_secs_f64());
    eprintln!(
        "hard: {rounds} rounds in {:.0} s on {STORAGE_NODES} nodes, {acknowledged} changes acknowledged, 0 lost, violations: 0, longest \
         without an answer {:.1} s, longest wait for progress in a cut {cut:.1} s, a silent node noticed after {silent:.1} s at most, \
         a member beyond the log's end votes again after {voting:.1} s at most, under at least {commits_per_s:.0} commits/s",
        elapsed.as_secs_f64(),
        leaderless.as_secs_f64(),
    );
}
