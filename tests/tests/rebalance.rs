//! Nodes and disks are added, and shards move until each disk holds its share: under load, with the leader killed
//! meanwhile, and after a drain. New objects follow the profile that the operator sets.
//!
//! Covers I11 and I26 to I29 for moves: what is acknowledged stays, no copy is left over, and a rebalance survives its
//! leader.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it saw"
)]

use std::process::Output;
use std::time::Duration;

use bytes::Bytes;
use cairn_cli::admin::{AdminClient, DiskProgress, DiskState, Placement, ProfileRule, RebalanceState, RebalanceStatus};
use cairn_cli::s3::Client;
use cairn_tests::{AllInOne, Ledger, Load, Mix, ProcessCluster, Tuning, eventually, ledger_check, seed, wait_until};
use http::Method;

const BUCKET: &str = "even";
const LOADED: &str = "busy";
const LIMIT: Duration = Duration::from_mins(2);
/// Objects of one size: then shards can be counted instead of bytes.
const OBJECT_BYTES: u64 = 20 << 10;
const CLIENTS: u32 = 8;

/// Stores `count` objects.
async fn fill(client: impl Fn() -> Client, count: u32) {
    let body = Bytes::from(vec![7; OBJECT_BYTES as usize]);
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..CLIENTS {
        let (mut client, body) = (client(), body.clone());
        tasks.spawn(async move {
            for n in (worker..count).step_by(CLIENTS as usize) {
                client.put(BUCKET, &format!("object{n:05}"), body.clone()).await.expect("an acknowledgement");
            }
        });
    }
    tasks.join_all().await;
}

async fn status(admin: &mut AdminClient) -> Result<RebalanceStatus, String> {
    admin.get("/v1/rebalance").await.map_err(|e| e.to_string())
}

fn said(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

/// Waits until every disk holds its share of all shards, within 5 %, as the storage nodes count them.
async fn shards_are_even(mut admin: AdminClient, disks_in_use: usize) {
    eventually("every disk holds its share", LIMIT, async || {
        let status = admin.cluster().await.map_err(|e| e.to_string())?;
        let disks = admin.disks().await.map_err(|e| e.to_string())?;
        let held: Vec<u64> =
            disks.iter().filter(|disk| disk.state == DiskState::Active).map(|disk| disk.shards).collect();
        let share = held.iter().sum::<u64>() as f64 / held.len() as f64;
        let even = held.iter().all(|shards| (*shards as f64 - share).abs() <= 0.05 * share);
        if even && held.len() == disks_in_use && status.reclaim_entries == 0 {
            eprintln!("shards on the disks: {held:?}");
            return Ok(());
        }
        Err(format!("{held:?}, {} to be reclaimed", status.reclaim_entries))
    })
    .await;
}

/// Waits until released content is reclaimed, and every other shard is where metadata has it.
async fn whole(mut admin: AdminClient) {
    eventually("every shard is where metadata has it", LIMIT, async || {
        let report = admin.verify(|_| {}).await.map_err(|e| e.to_string())?;
        assert!(report.is_healthy(), "{report:?}");
        if report.disks.iter().all(|disk| disk.missing == 0) { Ok(()) } else { Err(format!("{report:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_node_gets_its_share_under_load_and_over_a_change_of_leader() {
    const OBJECTS: u32 = 600;
    let seed = seed();
    let mut cluster = ProcessCluster::builder().members(3).nodes(4).gateways(1).start().await;
    for bucket in [BUCKET, LOADED] {
        cluster.client(0).create_bucket(bucket).await.unwrap();
    }
    fill(|| cluster.client(0), OBJECTS).await;
    cluster.start_new_node().await;
    let would = said(&cluster.verb(0, &["rebalance", "start", "--dry-run"]));
    eprintln!("{would}");
    assert!(would.contains("would move") && would.contains("-100.0 %"), "{would}");
    assert_eq!(status(&mut cluster.admin()).await.unwrap().state, RebalanceState::Never, "a dry run moves nothing");

    let mix = Mix { multipart: 0, sizes: &[OBJECT_BYTES], ..Mix::default() };
    let load = Load { accounts: cluster.accounts(), bucket: LOADED.to_owned(), mix, workers: 2, attempts: 1, seed };
    let running = load.start(Ledger::new());
    said(&cluster.verb(0, &["rebalance", "start", "--rate", "800KiB"]));
    wait_until("a part has moved", LIMIT, async || {
        status(&mut cluster.admin()).await.is_ok_and(|status| status.moved_shards >= 60)
    })
    .await;
    let leader = cluster.metadata_leader().await;
    cluster.kill_metadata_member(leader);
    let ended = eventually("the rebalance ends", LIMIT, async || {
        let status = status(&mut cluster.admin()).await?;
        if status.is_under_way() { Err(format!("{status:?}")) } else { Ok(status) }
    })
    .await;
    eprintln!("{ended:?}");
    assert_eq!(ended.state, RebalanceState::Even, "{ended:?}");
    let moved = OBJECTS * 4 / 5;
    let bounds = u64::from(moved) * 8 / 10..=u64::from(moved) * 14 / 10;
    assert!(bounds.contains(&ended.moved_shards), "the new node's share and little else, none of it twice: {ended:?}");
    let (mut ledger, stats) = running.stop().await;
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    cluster.start_missing().await;
    // Ends the session, so that the shards of failed writes are garbage.
    cluster.restart_gateways().await;
    shards_are_even(cluster.admin(), 5).await;
    whole(cluster.admin()).await;
    ledger_check::assert_kept(&cluster.account(0), LOADED, &mut ledger, "rebalanced").await;
    let all = said(&cluster.verb(0, &["node", "show", "node5"]));
    assert!(all.contains("node5-disk1") && all.contains("active"), "{all}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_goes_first_a_stop_stops_and_added_disks_take_part() {
    const OBJECTS: u32 = 400;
    let mut server = AllInOne::start_with(Tuning { disks: 7, ..Tuning::default() }).await;
    server.client().create_bucket(BUCKET).await.unwrap();
    fill(|| server.client(), OBJECTS).await;
    server.reload_with_disks(9);
    eventually("the new disks are active", LIMIT, async || {
        let disks = server.admin().cluster().await.map_err(|e| e.to_string())?.disks;
        if disks.active == 9 { Ok(()) } else { Err(format!("{disks:?}")) }
    })
    .await;

    // Slow enough that it does not finish by itself.
    said(&server.verb(&["rebalance", "start", "--rate", "2KiB"]));
    wait_until("it moves", LIMIT, async || status(&mut server.admin()).await.is_ok_and(|s| s.moved_shards > 0)).await;
    let stopped = said(&server.verb(&["rebalance", "stop"]));
    assert!(stopped.contains("was stopped"), "{stopped}");
    let moved = status(&mut server.admin()).await.unwrap().moved_shards;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let after = status(&mut server.admin()).await.unwrap();
    assert_eq!(
        (after.moved_shards, after.state),
        (moved, RebalanceState::Stopped),
        "a stopped rebalance moves nothing"
    );

    // A drain goes first.
    said(&server.verb(&["rebalance", "start", "--rate", "2KiB"]));
    let first = server.disk_entry(1).await.number;
    let path = format!("/v1/disks/{first}/drain");
    let _: DiskProgress = server.admin().call(Method::POST, &path).await.unwrap();
    let mut waited = false;
    eventually("the drain ends", LIMIT, async || {
        waited |= status(&mut server.admin()).await?.state == RebalanceState::Waiting;
        let left = server.admin().disk(first).await.map_err(|e| e.to_string())?;
        if left.shards_left == 0 { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    assert!(waited, "the rebalance waits for the drain");
    let ended = said(&server.verb(&["rebalance", "start", "--wait"]));
    assert!(ended.contains("every disk holds its share"), "{ended}");
    let removed = said(&server.verb(&["disk", "remove", &first.to_string()]));
    assert!(removed.contains("is removed"), "{removed}");
    shards_are_even(server.admin(), 8).await;
    whole(server.admin()).await;
    assert_eq!(server.client().list_all(BUCKET, "").await.unwrap().len(), OBJECTS as usize);
    let shown = said(&server.verb(&["rebalance", "status", "--survey"]));
    assert!(shown.contains("off its share"), "{shown}");
    server.stop().await;
}

/// An object in two parts.
async fn store_parts(client: &mut Client) {
    let upload = client.create_upload(BUCKET, "parts").await.unwrap();
    let mut parts = Vec::new();
    for (number, bytes) in [(1, 5 << 20), (2, 50_000)] {
        let body = Bytes::from(vec![number as u8; bytes]);
        parts.push(client.upload_part(BUCKET, "parts", &upload, number, body).await.unwrap());
    }
    client.complete_upload(BUCKET, "parts", &upload, &parts).await.unwrap();
}

/// I11, I29: objects overwritten or deleted meanwhile stay so, and no shard is left over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_re_encoded_under_load_and_nothing_is_lost_or_left_over() {
    let seed = seed();
    let mut server = AllInOne::start_with(Tuning { disks: 7, ..Tuning::default() }).await;
    server.client().create_bucket(LOADED).await.unwrap();
    let mix = Mix { sizes: &[100, 4 << 10, 40 << 10, 300 << 10], ..Mix::default() };
    let load = Load { accounts: vec![server.account()], bucket: LOADED.to_owned(), mix, workers: 4, attempts: 1, seed };
    let running = load.start(Ledger::new());
    let more = async |count: u64| {
        let enough = running.acknowledged() + count;
        wait_until("clients make progress", LIMIT, async || running.acknowledged() >= enough).await;
    };
    more(100).await;
    said(&server.verb(&["profile", "set", "4+3"]));
    more(20).await;
    let reencoded = said(&server.verb(&["rebalance", "start", "--reprotect", "--wait"]));
    eprintln!("{reencoded}");
    assert!(reencoded.contains("everything is coded as new objects are"), "{reencoded}");
    more(20).await;
    let (mut ledger, stats) = running.stop().await;
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    ledger_check::assert_kept(&server.account(), LOADED, &mut ledger, "re-encoded").await;
    for object in server.client().list_all(LOADED, "").await.unwrap().iter().filter(|object| object.size > 0) {
        let path = format!("/v1/placement/{LOADED}/{}", object.key);
        let placed: Placement = server.admin().get(&path).await.unwrap();
        for extent in placed.extents {
            let expected = if extent.bytes <= 16 << 10 { "1+3" } else { "4+3" };
            assert_eq!(extent.profile, expected, "{}: {extent:?}", object.key);
        }
    }
    whole(server.admin()).await;
    ledger_check::abort_uploads(&mut server.client(), LOADED).await.unwrap();
    ledger_check::delete_all(&mut server.client(), LOADED).await.unwrap();
    server.restart().await;
    ledger_check::assert_shards(server.admin(), 0..=0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_objects_follow_the_profile_that_is_set_and_one_that_cannot_be_placed_is_refused() {
    let mut server = AllInOne::start_with(Tuning { disks: 7, ..Tuning::default() }).await;
    server.client().create_bucket(BUCKET).await.unwrap();
    server.client().create_bucket(LOADED).await.unwrap();
    let body = |bytes: usize| Bytes::from(vec![3; bytes]);
    server.client().put(BUCKET, "before", body(100_000)).await.unwrap();
    store_parts(&mut server.client()).await;
    let refused = server.verb(&["profile", "set", "6+3", "--bucket", BUCKET]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("2 more disks") && text.contains("--force"), "{text}");
    let set =
        said(&server.verb(&["profile", "set", "4+3", "--bucket", BUCKET, "--small", "1+3", "--small-bytes", "1000"]));
    assert!(set.contains("4+3") && set.contains("stays as it is"), "{set}");
    let mut client = server.client();
    let shape = async |bucket: &str, key: &str| {
        let placed: Placement = server.admin().get(&format!("/v1/placement/{bucket}/{key}")).await.unwrap();
        placed.extents[0].profile.clone()
    };
    // The gateway gets the new map with its next renewal.
    eventually("new objects are coded as the rule says", LIMIT, async || {
        client.put(BUCKET, "after", body(100_000)).await.map_err(|e| e.to_string())?;
        let found = shape(BUCKET, "after").await;
        if found == "4+3" { Ok(()) } else { Err(found) }
    })
    .await;
    client.put(BUCKET, "small", body(1000)).await.unwrap();
    client.put(BUCKET, "larger", body(1001)).await.unwrap();
    client.put(LOADED, "other", body(100_000)).await.unwrap();
    let found = [shape(BUCKET, "before").await, shape(BUCKET, "small").await, shape(BUCKET, "larger").await];
    assert_eq!(found, ["4+2", "1+3", "4+3"]);
    assert_eq!(shape(LOADED, "other").await, "4+2");
    // What is stored is re-encoded only when asked for, with overwrites meanwhile.
    let etag = client.head(BUCKET, "before").await.unwrap().etag();
    let reencoded = said(&server.verb(&["rebalance", "start", "--reprotect", "--wait"]));
    assert!(reencoded.contains("everything is coded as new objects are"), "{reencoded}");
    for (key, profile) in [("before", "4+3"), ("small", "1+3"), ("parts", "4+3"), ("after", "4+3")] {
        assert_eq!(shape(BUCKET, key).await, profile, "{key}");
    }
    assert_eq!(shape(LOADED, "other").await, "4+2");
    let same = client.get(BUCKET, "before").await.unwrap();
    assert_eq!(same.info().etag(), etag, "it is the same version");
    assert_eq!(same.collect().await.unwrap(), body(100_000));
    whole(server.admin()).await;
    let listed = said(&server.verb(&["profile", "list"]));
    assert!(listed.contains("even") && listed.contains("all other buckets") && listed.contains("4+3"), "{listed}");
    said(&server.verb(&["profile", "set", "6+3", "--force"]));
    let shown: Vec<ProfileRule> = server.admin().get(&format!("/v1/profiles/rules?bucket={LOADED}")).await.unwrap();
    assert_eq!((shown[0].large_now.as_str(), shown[0].is_set, shown[0].lacks.is_some()), ("4+2", false, true));
    client.put(LOADED, "other", body(100_000)).await.unwrap();
    server.restart().await;
    let back = said(&server.verb(&["profile", "set", "default"]));
    assert!(back.contains("as the cluster's size allows"), "{back}");
    let still = said(&server.verb(&["profile", "show", BUCKET]));
    assert!(still.contains("4+3"), "a restart forgets no rule: {still}");
    server.stop().await;
}
