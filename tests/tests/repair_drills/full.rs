//! A disk is lost and the others have no room for its shards: repair waits, says so, and continues when there is room.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use cairn_cli::admin::{ClusterStatus, DiskState};
use cairn_tests::{AllInOne, Content, Dataset, Ledger, Outcome, Tuning, Version, eventually, ledger_check, seed};

use super::*;

const DISKS: u32 = 7;
/// Disk 1 is a plain directory, which can be taken away; the others are filesystems of their own.
const LOST: u32 = 1;
const RESERVE_BYTES: u64 = 8 << 20;

/// Small filesystems under the disk directories, unmounted at the end: after that of the server is declared, so before
/// its directory is removed.
struct Mounts(Vec<PathBuf>);

impl Mounts {
    fn under(server: &AllInOne) -> Result<Self, String> {
        let mut mounts = Self(Vec::new());
        for disk in (1..=DISKS).filter(|disk| *disk != LOST) {
            let at = server.disk(disk);
            std::fs::create_dir_all(&at).map_err(|e| e.to_string())?;
            run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=160m", "tmpfs"]).arg(&at))?;
            mounts.0.push(at);
        }
        Ok(mounts)
    }

    /// Takes all but half of the reserve, and what has become free since the last time.
    fn fill(&self) {
        for mount in &self.0 {
            let mut filler = File::options().create(true).append(true).open(mount.join("filler")).unwrap();
            let piece = vec![1; 1 << 20];
            while free(mount) > RESERVE_BYTES / 2 && filler.write_all(&piece).is_ok() {}
        }
    }

    fn empty(&self) {
        for mount in &self.0 {
            std::fs::remove_file(mount.join("filler")).unwrap();
        }
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        for mount in &self.0 {
            // A mount that cannot be removed is only litter.
            let _ = run(Command::new("umount").arg("-l").arg(mount));
        }
    }
}

fn free(mount: &std::path::Path) -> u64 {
    let space = rustix::fs::statvfs(mount).unwrap();
    space.f_bavail * space.f_frsize
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

async fn expect_status(server: &AllInOne, wanted: impl Fn(&ClusterStatus) -> bool) -> Result<(), String> {
    let status = server.admin().cluster().await.map_err(|e| e.to_string())?;
    if wanted(&status) { Ok(()) } else { Err(format!("{status:?}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repair_waits_for_room_and_reports_it() {
    let tuning = Tuning { disks: DISKS, repair_grace_s: 1, reserve_bytes: RESERVE_BYTES, ..Tuning::default() };
    let mut server = AllInOne::prepare(tuning);
    let mounts = match Mounts::under(&server) {
        Ok(mounts) => mounts,
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
        mounts.fill();
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

    mounts.empty();
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
