//! The scrub (I14): it finds whatever rots and nothing else, and no crash makes it forget.

use std::collections::BTreeSet;

use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{ScrubFinding, ScrubStatus};

use super::*;
use crate::format::{FOOTER_BYTES, RecordHeader, VOLUME_DATA_START};
use crate::store::records::{Found, Scan};
use crate::store::volume_files::volume_number;

/// The records of shards on a disk, dead ones included.
pub(crate) fn records(disk: &SimulatedDisk) -> Vec<RecordHeader> {
    let mut found = Vec::new();
    for name in disk.list_volumes().unwrap() {
        let file = disk.open_volume(&name).unwrap();
        let identity = identity();
        let mut scan = Scan::new(&file, &identity, volume_number(&name).unwrap(), VOLUME_DATA_START).unwrap();
        while let Some(record) = scan.next().unwrap() {
            if let Found::Shard(header) = record {
                found.push(header);
            }
        }
    }
    found
}

fn volume_of(header: &RecordHeader) -> String {
    format!("{:08}.vol", header.place.volume)
}

fn written_bytes(header: &RecordHeader) -> u64 {
    header.footer_start() + FOOTER_BYTES as u64
}

/// Flips a bit of a record, `at` bytes from its beginning.
fn rot(disk: &SimulatedDisk, header: &RecordHeader, at: u64) {
    disk.tamper(&volume_of(header), |bytes| bytes[(header.place.offset + at) as usize] ^= 4);
}

async fn wait_for(store: &DiskStore, what: &str, done: impl Fn(&ScrubStatus) -> bool) -> ScrubStatus {
    for _ in 0..6000 {
        let status = store.scrub_status();
        if done(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no {what}: {:?}", store.scrub_status());
}

/// Runs a whole cycle and returns what it found.
async fn cycle(store: &DiskStore) -> Vec<ScrubFinding> {
    let before = store.scrub_status().last.map_or(0, |last| last.cycle);
    store.start_scrub();
    let status = wait_for(store, "end", |s| s.last.is_some_and(|last| last.cycle > before)).await;
    let findings = store.unreported_findings(1000);
    assert_eq!(status.findings, findings.len() as u64);
    store.findings_reported(&findings);
    findings
}

async fn filled(disk: &SimulatedDisk, shards: u64) -> DiskStore {
    let store = open(disk);
    for n in 0..shards {
        put(&store, shard(n), 100 + n * 97, 0).await.unwrap();
    }
    store
}

#[tokio::test]
async fn every_byte_of_a_record_is_looked_at() {
    let disk = formatted();
    let store = filled(&disk, 3).await;
    assert_eq!(cycle(&store).await, []);
    let header = records(&disk)[1];
    // In the header, the descriptor, cells, checksums and the footer.
    for at in (0..written_bytes(&header)).step_by(13) {
        rot(&disk, &header, at);
        let found = cycle(&store).await;
        assert_eq!(found.len(), 1, "byte {at}: {found:?}");
        assert_eq!((found[0].shard, found[0].kind), (header.shard, ShardReportKind::Corrupt), "byte {at}");
        rot(&disk, &header, at);
    }
    assert_eq!(cycle(&store).await, []);
}

#[tokio::test]
async fn rotten_records_and_no_others_are_found_over_two_crashes() {
    let mut dice = Dice(7);
    let disk = formatted();
    let store = filled(&disk, 300).await;
    delete(&store, &[shard(10), shard(77)]).await.unwrap();
    put(&store, shard(20), 100 + 20 * 97, 0).await.unwrap();
    store.close();
    drop(store);
    let all = records(&disk);
    let volumes: BTreeSet<u32> = all.iter().map(|header| header.place.volume).collect();
    assert!(volumes.len() >= 10, "{volumes:?}");
    let mut planted = BTreeSet::new();
    while planted.len() < 40 {
        let header = all[dice.roll(all.len() as u64) as usize];
        if ![10, 20, 77].contains(&header.shard.extent.counter) && planted.insert(header.shard) {
            rot(&disk, &header, dice.roll(written_bytes(&header)));
        }
    }
    let slowly = || {
        let scrub = ScrubOptions { bytes_per_s_max: 4 << 20, save_interval: Duration::ZERO, ..options().scrub };
        open_with(&disk, StoreOptions { scrub, ..options() })
    };
    let mut store = slowly();
    store.start_scrub();
    let mut verified = 0;
    for crash in 1..=2 {
        let status = wait_for(&store, "progress", |s| s.shards >= crash * 100).await;
        assert!(status.running && status.shards >= verified, "crash {crash}: {status:?}");
        verified = status.shards;
        disk.crash(|| false);
        drop(store);
        store = slowly();
        let status = wait_for(&store, "progress after a crash", |s| s.shards > 0).await;
        // Progress was saved at most a few shards before the crash.
        assert!(status.cycle == 1 && status.shards + 5 >= verified, "crash {crash}: {status:?}, {verified} before");
    }
    let status = wait_for(&store, "end", |s| s.last.is_some()).await;
    let last = status.last.unwrap();
    assert_eq!((last.cycle, last.findings, last.shards), (1, 40, 298), "{status:?}");
    let found: Vec<ShardId> = store.unreported_findings(1000).into_iter().map(|f| f.shard).collect();
    assert_eq!(found.len(), 40);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), planted);
}

#[tokio::test]
async fn a_shard_that_was_deleted_or_written_again_is_no_finding() {
    let disk = formatted();
    let store = filled(&disk, 20).await;
    for header in records(&disk) {
        rot(&disk, &header, 30);
    }
    let ids: Vec<ShardId> = (0..10).map(shard).collect();
    delete(&store, &ids).await.unwrap();
    for n in 10..20 {
        put(&store, shard(n), 100 + n * 97, 0).await.unwrap();
    }
    assert_eq!(cycle(&store).await, []);
}

#[tokio::test]
async fn findings_are_remembered_until_they_are_reported() {
    let disk = formatted();
    let store = filled(&disk, 5).await;
    rot(&disk, &records(&disk)[2], 40);
    store.start_scrub();
    wait_for(&store, "finding", |s| s.last.is_some()).await;
    store.close();
    drop(store);
    let store = open(&disk);
    let status = wait_for(&store, "memory", |s| s.cycle > 0).await;
    assert_eq!((status.unreported, status.findings), (1, 1));
    let findings = store.unreported_findings(10);
    assert_eq!(findings[0].shard, shard(2));
    store.findings_reported(&findings);
    store.close();
    drop(store);
    let store = open(&disk);
    assert_eq!(wait_for(&store, "memory", |s| s.cycle > 0).await.unreported, 0);
}

#[tokio::test]
async fn a_cycle_begins_again_if_its_progress_is_damaged() {
    let disk = formatted();
    let store = filled(&disk, 5).await;
    assert_eq!(cycle(&store).await, []);
    store.close();
    drop(store);
    let mut bytes = disk.read_file("scrub-progress").unwrap();
    bytes[20] ^= 1;
    disk.replace_file("scrub-progress", &bytes).unwrap();
    let store = open(&disk);
    assert_eq!(store.scrub_status().cycle, 0);
    assert_eq!(cycle(&store).await, []);
    assert_eq!(store.scrub_status().shards, 5);
}

#[tokio::test]
async fn a_lost_volume_is_reported_as_missing_shards() {
    let disk = formatted();
    let store = filled(&disk, 100).await;
    let lost: BTreeSet<ShardId> =
        records(&disk).iter().filter(|header| header.place.volume == 2).map(|header| header.shard).collect();
    disk.remove_volume("00000002.vol").unwrap();
    let found = cycle(&store).await;
    assert!(found.iter().all(|finding| finding.kind == ShardReportKind::Missing), "{found:?}");
    assert_eq!(found.into_iter().map(|finding| finding.shard).collect::<BTreeSet<_>>(), lost);
}

#[tokio::test]
async fn a_cycle_begins_by_itself_when_half_of_the_period_is_over() {
    let disk = formatted();
    let scrub = ScrubOptions { period: Duration::from_millis(8), ..options().scrub };
    let store = open_with(&disk, StoreOptions { scrub, ..options() });
    put(&store, shard(1), 1000, 0).await.unwrap();
    let status = wait_for(&store, "second cycle", |s| s.last.is_some_and(|last| last.cycle >= 2 && last.shards == 1));
    assert!(!status.await.accelerated);
}
