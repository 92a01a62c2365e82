//! Compaction (I1, I4, I13): live records move, dead ones stay dead, damaged ones stay where they are.

use cairn_core::cell::CHECKSUM_BYTES;
use cairn_core::cluster_map::DiskState;
use cairn_core::threads::Threads;
use cairn_protocol::metadata::command::ShardReportKind;
use rustix::io::Errno;

use super::scrub::records;
use super::*;
use crate::disk_io::simulated::Fault;
use crate::format::{HEADER_BYTES, VOLUME_DATA_START};

const VOLUME_BYTES: u64 = 32 << 10;
/// Shards stored on the disks below: a few volumes of about thirty shards each.
const SHARDS: u64 = 100;
/// The shards that are not deleted.
const LIVING: [u64; 9] = [3, 13, 26, 42, 55, 61, 77, 88, 99];

fn small() -> StoreOptions {
    StoreOptions { volume_bytes: VOLUME_BYTES, ..options() }
}

fn volumes(disk: &SimulatedDisk) -> Vec<String> {
    disk.list_volumes().unwrap()
}

/// A disk of several volumes with few live shards.
async fn sparse() -> (SimulatedDisk, DiskStore) {
    let disk = formatted();
    let store = open_with(&disk, small());
    for n in 0..SHARDS {
        put(&store, shard(n), 600, 0).await.unwrap();
    }
    let dead: Vec<ShardId> = (0..SHARDS).filter(|n| !LIVING.contains(n)).map(shard).collect();
    for some in dead.chunks(9) {
        delete(&store, some).await.unwrap();
    }
    (disk, store)
}

async fn check_living(store: &DiskStore) {
    assert_eq!(all(store).await, LIVING.map(shard));
    for n in LIVING {
        check(store, shard(n), 600, 0).await;
    }
}

#[tokio::test]
async fn sparse_volumes_are_emptied_and_go() {
    let (disk, store) = sparse().await;
    let before = volumes(&disk).len();
    assert!(before > 3, "{before} volumes");
    check_living(&store).await;
    store.compact();
    check_living(&store).await;
    // Each checkpoint removes the volumes that keep nothing dead any more.
    for _ in 0..before {
        store.checkpoint();
    }
    assert!(volumes(&disk).len() <= 2, "{:?}", volumes(&disk));
    check_living(&store).await;
    store.close();
    drop(store);
    for index_lost in [false, true] {
        if index_lost {
            disk.remove_index().unwrap();
        }
        let store = open_with(&disk, small());
        check_living(&store).await;
        store.close();
    }
}

#[tokio::test]
async fn large_shards_move_too() {
    let disk = formatted();
    let options = StoreOptions { volume_bytes: 8 << 20, ..options() };
    let store = open_with(&disk, options);
    put(&store, shard(1), 2_500_000, 0).await.unwrap();
    put(&store, shard(2), 2_500_000, 0).await.unwrap();
    put(&store, shard(3), 2_500_000, 0).await.unwrap();
    put(&store, shard(4), 2_500_000, 0).await.unwrap();
    delete(&store, &[shard(1), shard(3)]).await.unwrap();
    store.compact();
    store.checkpoint();
    assert_eq!(volumes(&disk), ["00000002.vol"]);
    check(&store, shard(2), 2_500_000, 0).await;
    check(&store, shard(4), 2_500_000, 0).await;
    disk.crash(|| false);
    drop(store);
    let store = open_with(&disk, options);
    check(&store, shard(2), 2_500_000, 0).await;
}

/// Compares the findings that wait to be reported, with their details.
fn check_findings(store: &DiskStore, expected: &[u64]) {
    let findings = store.unreported_findings(1000);
    let found: Vec<ShardId> = findings.iter().map(|finding| finding.shard).collect();
    assert_eq!(found, expected.iter().map(|n| shard(*n)).collect::<Vec<_>>(), "{findings:?}");
    for finding in findings {
        assert_eq!(finding.kind, ShardReportKind::Corrupt);
        assert!(finding.detail.contains(&finding.shard.to_string()) && finding.detail.contains(PATH), "{finding:?}");
    }
}

/// Waits until the scrub has loaded its progress.
async fn remembered(store: &DiskStore) {
    wait_until(|| store.scrub_status().unreported > 0).await;
}

#[tokio::test]
async fn bad_shards_found_by_compaction_are_remembered_until_they_are_reported() {
    let (disk, store) = sparse().await;
    disk.tamper("00000001.vol", |bytes| bytes[VOLUME_DATA_START as usize + 3 * 1024 + HEADER_BYTES + 100] ^= 1);
    store.compact();
    check_findings(&store, &[3]);
    store.close();
    drop(store);
    let store = open_with(&disk, small());
    remembered(&store).await;
    // Found again, it still waits once.
    store.compact();
    check_findings(&store, &[3]);
    store.findings_reported(&store.unreported_findings(1000));
    check_findings(&store, &[]);
    store.close();
    drop(store);
    let store = open_with(&disk, small());
    store.close();
    check_findings(&store, &[]);
}

#[tokio::test]
async fn a_damaged_record_stays_and_is_reported() {
    let (disk, store) = sparse().await;
    let record = disk.volume("00000001.vol").len();
    assert!(record > VOLUME_DATA_START as usize);
    // Shard 3 loses a bit of a cell, shard 13 one of its header, shard 26 one of its footer.
    let record_bytes = 1024;
    let at = |n: usize| VOLUME_DATA_START as usize + n * record_bytes;
    // After the header, the descriptor, and one cell with its checksum.
    let descriptor = content(shard(26), 600, 0).0.descriptor;
    let footer = at(26) + HEADER_BYTES + descriptor.len() + 600 + CHECKSUM_BYTES + 20;
    disk.tamper("00000001.vol", |bytes| {
        bytes[at(3) + HEADER_BYTES + 100] ^= 1;
        bytes[at(13) + 50] ^= 1;
        bytes[footer] ^= 1;
    });
    for _ in 0..2 {
        store.compact();
        store.checkpoint();
    }
    assert!(volumes(&disk).contains(&"00000001.vol".to_owned()));
    check_findings(&store, &[3, 26, 13]);
    assert_eq!(all(&store).await, LIVING.map(shard));
    check_error(&store, shard(13), 600, StorageErrorKind::Corrupt).await;
    let cells = read(&store, shard(3), 600, 0..1).await.unwrap();
    assert!(!cells[0].verify(shard(3).cell(0)));
    for n in LIVING.iter().filter(|n| ![3, 13].contains(*n)) {
        check(&store, shard(*n), 600, 0).await;
    }
    // Once they are deleted, as after a rebuild elsewhere, nothing keeps the volume.
    delete(&store, &[shard(3), shard(13), shard(26)]).await.unwrap();
    for _ in 0..4 {
        store.compact();
        store.checkpoint();
    }
    assert!(!volumes(&disk).contains(&"00000001.vol".to_owned()));
}

#[tokio::test]
async fn a_shard_that_is_being_written_again_is_not_moved_over() {
    let (disk, store) = sparse().await;
    let (header, cells) = content(shard(3), 600, 1);
    let mut writer = store.open_shard(header).await.unwrap();
    writer.append(cells).await.unwrap();
    store.compact();
    writer.finish().await.unwrap();
    check(&store, shard(3), 600, 1).await;
    store.compact();
    check(&store, shard(3), 600, 1).await;
    disk.crash(|| false);
    disk.remove_index().unwrap();
    drop(store);
    check(&open_with(&disk, small()), shard(3), 600, 1).await;
}

/// A copy made now would come after the tombstone in the log, and bring the shard back.
#[tokio::test]
async fn a_shard_whose_deletion_is_under_way_is_not_copied() {
    let (disk, store) = sparse().await;
    // Room in the last volume, so that only syncs are waited for below.
    let before = volumes(&disk).len();
    let mut added = SHARDS..;
    while volumes(&disk).len() == before {
        put(&store, shard(added.next().unwrap()), 600, 0).await.unwrap();
    }
    disk.hold_syncs(true);
    // Alone in the sparsest volume, with which compaction begins.
    let dying = shard(42);
    let operations = disk.operations();
    let deletion = tokio::spawn({
        let store = store.clone();
        async move { delete(&store, &[dying]).await }
    });
    wait_until(|| disk.operations() > operations).await;
    let newest = records(&disk).last().unwrap().place;
    let copies = || records(&disk).into_iter().filter(|record| record.place > newest).collect::<Vec<_>>();
    let compacting = store.clone();
    let compaction = TestThreads.spawn("compaction", Box::new(move || compacting.compact())).unwrap();
    wait_until(|| !copies().is_empty()).await;
    // The first copies are written; the tombstone is not synced yet.
    assert!(copies().iter().all(|copy| copy.shard != dying), "{:?}", copies());
    disk.hold_syncs(false);
    deletion.await.unwrap().unwrap();
    compaction().unwrap();
    check_error(&store, dying, 600, StorageErrorKind::Missing).await;
    disk.crash(|| true);
    disk.remove_index().unwrap();
    drop(store);
    let store = open_with(&disk, small());
    let living = LIVING.into_iter().chain(SHARDS..added.start).map(shard).filter(|living| *living != dying);
    assert_eq!(all(&store).await, living.collect::<Vec<_>>());
}

/// A full volume in which one shard is deleted, then a volume with its tombstone and no live record.
async fn tombstone_in_a_dead_volume(disk: &SimulatedDisk) -> DiskStore {
    let store = open_with(disk, small());
    for n in 0..27 {
        put(&store, shard(n), 600, 0).await.unwrap();
    }
    store.close();
    drop(store);
    let store = open_with(disk, small());
    delete(&store, &[shard(5)]).await.unwrap();
    put(&store, shard(50), 20_000, 0).await.unwrap();
    delete(&store, &[shard(50)]).await.unwrap();
    store.close();
    drop(store);
    let store = open_with(disk, small());
    put(&store, shard(60), 600, 0).await.unwrap();
    store
}

#[tokio::test]
async fn tombstones_that_are_needed_are_carried_along() {
    let disk = formatted();
    let store = tombstone_in_a_dead_volume(&disk).await;
    assert_eq!(volumes(&disk), ["00000001.vol", "00000002.vol", "00000003.vol"]);
    store.compact();
    store.checkpoint();
    assert_eq!(volumes(&disk), ["00000001.vol", "00000003.vol"]);
    disk.crash(|| false);
    disk.remove_index().unwrap();
    drop(store);
    let store = open_with(&disk, small());
    check_error(&store, shard(5), 600, StorageErrorKind::Missing).await;
    check_error(&store, shard(50), 600, StorageErrorKind::Missing).await;
    let expected: Vec<ShardId> = (0..27).filter(|n| *n != 5).chain([60]).map(shard).collect();
    assert_eq!(all(&store).await, expected);
}

#[tokio::test]
async fn a_shard_that_was_stored_again_survives_the_carrying_of_its_tombstone() {
    let disk = formatted();
    let store = tombstone_in_a_dead_volume(&disk).await;
    put(&store, shard(5), 700, 1).await.unwrap();
    store.compact();
    store.checkpoint();
    assert_eq!(volumes(&disk), ["00000001.vol", "00000003.vol"]);
    disk.crash(|| false);
    disk.remove_index().unwrap();
    drop(store);
    let store = open_with(&disk, small());
    check(&store, shard(5), 700, 1).await;
    // And when it is deleted again, neither of its records comes back.
    delete(&store, &[shard(5), shard(60)]).await.unwrap();
    store.close();
    drop(store);
    let store = open_with(&disk, small());
    put(&store, shard(61), 600, 0).await.unwrap();
    for _ in 0..3 {
        store.compact();
        store.checkpoint();
    }
    disk.crash(|| false);
    disk.remove_index().unwrap();
    drop(store);
    check_error(&open_with(&disk, small()), shard(5), 600, StorageErrorKind::Missing).await;
}

#[tokio::test]
async fn a_volume_that_cannot_be_removed_keeps_what_keeps_it_dead() {
    let (disk, store) = sparse().await;
    disk.fail_removals(true);
    for _ in 0..4 {
        store.compact();
        store.checkpoint();
    }
    disk.crash(|| false);
    disk.fail_removals(false);
    disk.remove_index().unwrap();
    drop(store);
    let store = open_with(&disk, small());
    check_living(&store).await;
}

/// Power is lost after each operation of a compaction and of the checkpoints after it.
#[tokio::test]
async fn a_crash_at_any_moment_of_a_compaction_changes_nothing() {
    for survives_in_four in [0, 2, 4] {
        for after in 0.. {
            let (disk, store) = sparse().await;
            disk.stop_after(after);
            store.compact();
            store.checkpoint();
            store.checkpoint();
            let has_stopped = disk.has_stopped();
            let mut dice = Dice(after);
            disk.crash(|| dice.roll(4) < survives_in_four);
            if after % 2 == 0 {
                disk.remove_index().unwrap();
            }
            drop(store);
            check_living(&open_with(&disk, small())).await;
            if !has_stopped {
                assert!(after > 10, "a compaction has {after} operations");
                break;
            }
        }
    }
}

/// Each operation of a compaction fails in turn (I2, I21).
#[tokio::test]
async fn a_failure_at_any_operation_of_a_compaction_loses_nothing() {
    for errno in [Errno::IO, Errno::ROFS, Errno::NOSPC, Errno::MFILE, Errno::NOMEM] {
        let is_to_blame = [Errno::IO, Errno::ROFS].contains(&errno);
        for at in 1.. {
            let (disk, store) = sparse().await;
            disk.fail(Some(Fault { at, errno }));
            store.compact();
            store.checkpoint();
            let happened = disk.operations() >= at;
            let suspected = store.condition().state == DiskState::Suspect;
            assert_eq!(suspected, is_to_blame && happened, "{errno:?} at {at}: {:?}", store.condition());
            check_living(&store).await;
            disk.fail(None);
            if !suspected {
                store.compact();
                put(&store, shard(500), 600, 0).await.unwrap();
                delete(&store, &[shard(500)]).await.unwrap();
            }
            disk.crash(|| false);
            drop(store);
            check_living(&open_with(&disk, small())).await;
            if !happened {
                assert!(at > 2, "a compaction has {at} operations");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_move_leaves_half_of_the_reserve_alone() {
    let (disk, store) = sparse().await;
    store.close();
    drop(store);
    let store = open_with(&disk, StoreOptions { reserve_bytes: 1 << 20, ..small() });
    put(&store, shard(500), 600, 0).await.unwrap();
    disk.set_available(1 << 18);
    let before = volumes(&disk);
    store.compact();
    store.checkpoint();
    assert_eq!(volumes(&disk), before);
    disk.set_available(3 << 18);
    store.compact();
    store.checkpoint();
    assert!(volumes(&disk).len() < before.len());
}
