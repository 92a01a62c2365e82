//! Bytes rot in shards that no client reads.
//!
//! Covers I14: every planted corruption is found in one cycle, over two kills of the process, and none is invented; and
//! the offline look at a disk agrees with it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use cairn_cli::admin::{ScrubEntry, ScrubProgress};
use cairn_storage_node::inspect::{InspectOptions, ShardReport, inspect};
use cairn_tests::tool::Tool;
use cairn_tests::{AllInOne, Content, Tuning, eventually, seed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const BUCKET: &str = "scrubbed";
const DISKS: u32 = 6;
const PLANTED: usize = 24;
/// Records at the end of a volume that may not be settled.
const UNSETTLED: usize = 8;
const LIMIT: Duration = Duration::from_mins(2);

async fn fill(server: &mut AllInOne, random: &mut StdRng) {
    server.client().create_bucket(BUCKET).await.unwrap();
    // Every start begins a volume.
    for round in 0..3 {
        let mut client = server.client();
        for n in 0..12u64 {
            let content = Content::new(n, random.random_range(1..3 << 20));
            let key = format!("{round}/{n}");
            client.put(BUCKET, &key, content.slice(0..content.length)).await.unwrap();
        }
        for n in 0..100u64 {
            let content = Content::new(n, random.random_range(1..20_000));
            client.put(BUCKET, &format!("{round}/small-{n}"), content.slice(0..content.length)).await.unwrap();
        }
        for n in 0..10 {
            client.delete(BUCKET, &format!("{round}/small-{n}")).await.unwrap();
        }
        server.restart().await;
    }
    // Deleted shards must be gone before others are chosen to rot.
    eventually("deletions are carried out", LIMIT, async || {
        let entries = server.admin().cluster().await.map_err(|e| e.to_string())?.reclaim_entries;
        if entries == 0 { Ok(()) } else { Err(format!("{entries} entries are to be reclaimed")) }
    })
    .await;
}

/// Flips a bit somewhere in a record.
fn rot(disk: &Path, shard: &ShardReport, random: &mut StdRng) {
    let path = disk.join(format!("volumes/{:08}.vol", shard.volume));
    let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let at = shard.offset + random.random_range(0..shard.written_bytes);
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    byte[0] ^= 1 << random.random_range(0..8);
    file.write_all_at(&byte, at).unwrap();
}

/// All but the last shards of each volume. If those rot, it cannot be told offline whether they were acknowledged.
fn settled(mut shards: Vec<ShardReport>) -> Vec<ShardReport> {
    shards.sort_by_key(|shard| (shard.volume, shard.offset));
    let is_last = |at: usize| shards.get(at + UNSETTLED).is_none_or(|later| later.volume != shards[at].volume);
    (0..shards.len()).filter(|at| !is_last(*at)).map(|at| shards[at]).collect()
}

/// Plants corruptions all over the disks; returns the shards by disk.
fn plant(server: &AllInOne, random: &mut StdRng) -> Vec<BTreeSet<String>> {
    let disks: Vec<Vec<ShardReport>> = (1..=DISKS)
        .map(|n| {
            let seen = inspect(&server.disk(n), InspectOptions { verify: true, in_use: false }).unwrap();
            assert_eq!(seen.problems, [], "disk {n} is intact");
            assert!(seen.volumes.iter().filter(|volume| volume.live_shards > 0).count() >= 3, "{:?}", seen.volumes);
            settled(seen.shards)
        })
        .collect();
    let mut planted = vec![BTreeSet::new(); disks.len()];
    // One shard of an extent: repairing one would read the others, and find those that rot before the scrub does.
    let mut extents = BTreeSet::new();
    while planted.iter().map(BTreeSet::len).sum::<usize>() < PLANTED {
        // The last disk stays intact. No disk gets more than its status can list.
        let disk = random.random_range(0..disks.len() - 1);
        let shard = disks[disk][random.random_range(0..disks[disk].len())];
        if planted[disk].len() < 16 && extents.insert(shard.shard.extent) {
            planted[disk].insert(shard.shard.to_string());
            rot(&server.disk(disk as u32 + 1), &shard, random);
        }
    }
    planted
}

fn inspected(server: &AllInOne, disk: u32) -> (Output, serde_json::Value) {
    let disk = server.disk(disk);
    let arguments = ["disk", "inspect", disk.to_str().unwrap(), "--verify", "--json"];
    let output = Tool::new(cairn_tests::cairn().to_str().unwrap(), server).args(arguments).output();
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output, json)
}

async fn scrubs(server: &AllInOne) -> Vec<ScrubProgress> {
    let mut disks: Vec<ScrubEntry> = server.admin().scrub_status().await.unwrap_or_default();
    disks.sort_by(|a, b| a.path.cmp(&b.path));
    disks.into_iter().filter_map(|disk| disk.scrub).collect()
}

async fn wait_until_verified(server: &AllInOne, shards: u64) {
    eventually("the scrub goes on", LIMIT, async || {
        let verified: u64 = scrubs(server).await.iter().map(|scrub| scrub.shards).sum();
        if verified >= shards { Ok(()) } else { Err(format!("{verified} of {shards} shards are verified")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_corruption_is_found_in_one_cycle_despite_two_kills_and_none_is_invented() {
    let mut random = StdRng::seed_from_u64(seed());
    // Slow enough to be killed in the middle.
    let tuning = Tuning { scrub_period_s: 0, scrub_bytes_per_s_max: 2 << 20, ..Tuning::default() };
    let mut server = AllInOne::start_with(tuning).await;
    fill(&mut server, &mut random).await;
    server.stop().await;
    let planted = plant(&server, &mut random);

    let (output, json) = inspected(&server, DISKS);
    assert!(output.status.success() && json["problems"].as_array().is_some_and(Vec::is_empty), "{json}");
    let worst = (1..DISKS).max_by_key(|n| planted[*n as usize - 1].len()).unwrap();
    let (output, json) = inspected(&server, worst);
    let problems = json["problems"].as_array().map(Vec::len);
    assert_eq!((output.status.code(), problems), (Some(1), Some(planted[worst as usize - 1].len())), "{json}");

    server.start_again().await;
    let shards: u64 = server.admin().disks().await.unwrap().iter().map(|disk| disk.shards).sum();
    let started = server.admin().start_scrub(None).await.unwrap();
    assert!(started.len() == DISKS as usize && started.iter().all(|disk| disk.error.is_none()), "{started:?}");
    for part in [shards / 5, shards / 2] {
        wait_until_verified(&server, part).await;
        server.kill();
        server.start_again().await;
    }
    eventually("every disk ends its first cycle and reports", LIMIT, async || {
        let scrubs = scrubs(&server).await;
        let ended = scrubs.iter().filter(|scrub| scrub.last.is_some() && scrub.unreported == 0).count();
        if ended == DISKS as usize { Ok(()) } else { Err(format!("{scrubs:#?}")) }
    })
    .await;
    let scrubs = scrubs(&server).await;
    for (scrub, planted) in scrubs.iter().zip(&planted) {
        let found: BTreeSet<String> = scrub.newest.iter().map(|finding| finding.shard.clone()).collect();
        assert_eq!(&found, planted);
        assert_eq!((scrub.findings, scrub.cycle), (planted.len() as u64, 1), "{scrub:?}");
    }
    let text = Tool::new(cairn_tests::cairn().to_str().unwrap(), &server)
        .args(["scrub", "status"])
        .env("CAIRN_ENDPOINT", format!("http://127.0.0.1:{}", server.admin_port()))
        .env("CAIRN_ACCESS_KEY", server.credentials().access_key.clone())
        .env("CAIRN_SECRET_KEY", server.credentials().secret_key.expose())
        .run();
    assert!(text.contains("1, ended") && text.contains("corrupt"), "{text}");
}
