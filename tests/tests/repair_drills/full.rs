//! A disk is lost and the others have no room for its shards: repair waits, says so, and continues when there is room.

use cairn_cli::admin::{ClusterStatus, DiskState};
use cairn_tests::{
    AllInOne, Content, Dataset, Ledger, Outcome, SmallDisks, Tuning, Version, eventually, ledger_check, seed,
};

use super::*;

const DISKS: u32 = 7;
/// Disk 1 is a plain directory, which can be taken away; the others are filesystems of their own.
const LOST: u32 = 1;
const RESERVE_BYTES: u64 = 8 << 20;
const DISK_MIB: u32 = 160;

/// Takes all but half of the reserve, and what has become free since the last time.
fn fill(disks: &SmallDisks) {
    disks.directories().iter().for_each(|disk| SmallDisks::fill(disk, RESERVE_BYTES / 2));
}

async fn expect_status(server: &AllInOne, wanted: impl Fn(&ClusterStatus) -> bool) -> Result<(), String> {
    let status = server.admin().cluster().await.map_err(|e| e.to_string())?;
    if wanted(&status) { Ok(()) } else { Err(format!("{status:?}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repair_waits_for_room_and_reports_it() {
    let tuning = Tuning { disks: DISKS, repair_grace_s: 1, reserve_bytes: RESERVE_BYTES, ..Tuning::default() };
    let mut server = AllInOne::prepare(tuning);
    let own = (1..=DISKS).filter(|disk| *disk != LOST).map(|disk| server.disk(disk));
    let small = match SmallDisks::mount(own, DISK_MIB) {
        Ok(small) => small,
        Err(why) => return eprintln!("SKIPPED, small filesystems need root: {why}"),
    };
    server.start_again().await;
    let seed = seed();
    let data = Dataset::store(&server.account(), "data", seed).await;
    server.client().create_bucket(BUCKET).await.unwrap();
    let running = load_on(vec![server.account()], Ledger::new(), seed);
    running.advance(60, "with room").await;
    let mut ledger = running.stop_kept().await;

    // Compaction and the last deletions free space after the load has stopped: what they free is taken as well.
    eventually("all disks but one are full", LIMIT, async || {
        fill(&small);
        let full = |status: &ClusterStatus| status.disks.full == u64::from(DISKS) - 1 && status.reclaim_entries == 0;
        expect_status(&server, full).await
    })
    .await;
    let away = server.workdir().join("away");
    std::fs::rename(server.disk(LOST), &away).unwrap();
    eventually("repair reports that no disk has room", LIMIT, async || {
        let repair = server.admin().repair().await.map_err(|e| e.to_string())?;
        if repair.without_place_extents > 0 { Ok(()) } else { Err(format!("{repair:?}")) }
    })
    .await;
    let report = server.admin().verify(|_| {}).await.unwrap();
    assert!(!report.is_healthy() && report.lost.objects == 0, "{report:?}");
    data.assert_reads(&server.account(), "without room").await;
    ledger_check::assert_kept(&server.account(), BUCKET, &mut ledger, "without room").await;
    let content = Content::new(seed, 100 << 10);
    let refused = server.client().put(BUCKET, "too-much", content.bytes()).await.expect_err("there is no room");
    assert!(refused.to_string().contains("no place"), "{refused}");
    ledger.record("too-much", Some(Version::whole(content)), Outcome::Unknown);
    // Deletions work on full disks (I21).
    let key = ledger.iter().find(|(key, _)| matches!(ledger.certain(key), Some(Some(_)))).unwrap().0.to_owned();
    server.client().delete(BUCKET, &key).await.unwrap();
    ledger.record(&key, None, Outcome::Yes);

    small.empty();
    let roomy = |status: &ClusterStatus| status.disks.full == 0;
    eventually("no disk is full", LIMIT, async || expect_status(&server, roomy).await).await;
    eventually("everything is whole with room again", LIMIT, async || {
        let report = server.admin().verify(|_| {}).await.map_err(|e| e.to_string())?;
        if report.is_healthy() { Ok(()) } else { Err(format!("{report:?}")) }
    })
    .await;
    let running = load_on(vec![server.account()], ledger, seed + 1000);
    running.advance(20, "with room again").await;
    let mut ledger = running.stop_kept().await;
    ledger_check::abort_uploads(&mut server.client(), BUCKET).await.unwrap();
    ledger_check::assert_kept(&server.account(), BUCKET, &mut ledger, "with room again").await;
    data.assert_reads(&server.account(), "with room again").await;
    // Deletions wait for the disk that is away. When it returns, the last deleted shards are reclaimed.
    std::fs::rename(&away, server.disk(LOST)).unwrap();
    eventually("the lost disk is back", LIMIT, async || {
        let entry = server.disk_entry(LOST).await;
        if entry.state == DiskState::Active { Ok(()) } else { Err(format!("{entry:?}")) }
    })
    .await;
    server.stop_sound("with room and all disks again").await;
}
