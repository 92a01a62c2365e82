//! Shards are damaged on purpose, more than the code can repair: the verification and the audit name the same objects.

use std::os::unix::fs::FileExt;
use std::path::Path;

use cairn_recovery::audit::AuditReport;
use cairn_storage_node::inspect::{InspectOptions, ShardReport, inspect};
use cairn_tests::{AllInOne, Dataset, Tuning, eventually, offline, seed};

use super::*;

/// The shards of the 4+2 extents on a disk, ordered by extent.
fn wide(disk: &Path) -> Vec<ShardReport> {
    let found = inspect(disk, InspectOptions::default()).unwrap();
    let mut wide: Vec<_> = found.shards.into_iter().filter(|shard| shard.geometry.data_shards == 4).collect();
    wide.sort_unstable_by_key(|report| report.shard);
    wide
}

fn flip(disk: &Path, report: &ShardReport) {
    let path = disk.join(format!("volumes/{:08}.vol", report.volume));
    let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
    let (at, mut byte) = (report.offset + report.head_bytes, [0]);
    file.read_exact_at(&mut byte, at).unwrap();
    byte[0] ^= 1;
    file.write_all_at(&byte, at).unwrap();
}

fn bad(report: &AuditReport) -> u64 {
    report.disks.iter().map(|disk| disk.bad).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_and_the_verification_name_the_same_damage() {
    let mut server = AllInOne::start_with(Tuning::default()).await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    server.stop_sound("before anything is damaged").await;

    // Three shards of one extent, which is past repair, and the disk with one of all the others.
    let first = wide(&server.disk(1));
    let victim = first.first().expect("a coded extent").shard.extent;
    for disk in [1, 2, 3] {
        let disk = server.disk(disk);
        let report = wide(&disk).into_iter().find(|report| report.shard.extent == victim).unwrap();
        flip(&disk, &report);
    }
    let away = server.workdir().join("away");
    std::fs::rename(server.disk(6), &away).unwrap();
    let audited = server.audit();
    assert_eq!((audited.lost.objects, bad(&audited)), (1, 3), "{audited:#?}");
    assert!(
        !audited.at_risk.is_empty() && audited.listed.len() > 1 && audited.listed[0].spare.is_none(),
        "{audited:#?}"
    );

    server.start_again().await;
    server.admin().start_scrub(None).await.unwrap();
    eventually("the scrub has reported what it found", LIMIT, async || {
        let entries = server.admin().cluster().await.map_err(|e| e.to_string())?.repair_entries;
        if entries >= 3 { Ok(()) } else { Err(format!("{entries} shards are reported")) }
    })
    .await;
    let verified = server.admin().verify(|_| {}).await.unwrap();
    server.stop().await;
    assert_eq!(verified.lost.objects, 1, "{verified:#?}");
    offline::assert_agree(&verified, &server.audit(), "with three shards damaged and a disk away");

    // With the disk back, one extent still has a shard too few, and all others are whole.
    std::fs::rename(&away, server.disk(6)).unwrap();
    let audited = server.audit();
    assert_eq!((audited.lost.objects, bad(&audited)), (1, 3), "{audited:#?}");
    assert_eq!(audited.at_risk, [], "{audited:#?}");
    assert!(data.shards() > 0);
}

/// A disk directory that vanishes is seen by the next verification, and not by the one after the next probe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verification_looks_at_the_disks_and_not_at_a_cache() {
    let server = AllInOne::start_with(Tuning::default()).await;
    let _data = Dataset::store(&server.account(), BUCKET, seed()).await;
    assert!(server.admin().verify(|_| {}).await.unwrap().is_healthy());
    std::fs::rename(server.disk(2), server.workdir().join("away")).unwrap();
    let verified = server.admin().verify(|_| {}).await.unwrap();
    assert!(!verified.is_healthy() && verified.lost.objects == 0, "I10: {verified:?}");
    let said = verified.disks.iter().filter_map(|disk| disk.error.as_deref()).collect::<Vec<_>>();
    assert_eq!(said.len(), 1, "{verified:?}");
}
