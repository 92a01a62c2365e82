//! Reads that fail or lie (I2, I9): what cannot be read is unknown, never absent. A failed read keeps the disk out of
//! service, damage is reported, and neither frees a byte.

use cairn_core::cluster_map::DiskState;
use rustix::io::Errno;

use super::scrub::records;
use super::*;
use crate::disk_io::simulated::{Misread, ReadFault};
use crate::format::{BlockKind, FOOTER_BYTES, HEADER_BYTES, IdentityBlock, RecordHeader, VOLUME_DATA_START};

const VOLUME: &str = "00000001.vol";
const SHARDS: u64 = 20;

fn fault(what: Misread, range: Range<u64>, times: u64) -> ReadFault {
    ReadFault { what, file: Some(VOLUME.to_owned()), range, after: 0, times }
}

/// A disk whose process was killed after it stored some shards.
async fn killed(index_lost: bool) -> SimulatedDisk {
    let disk = formatted();
    let store = open(&disk.process());
    for n in 0..SHARDS {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    disk.kill();
    if index_lost {
        disk.remove_index().unwrap();
    }
    disk
}

async fn check_all(store: &DiskStore) {
    assert_eq!(all(store).await, (0..SHARDS).map(shard).collect::<Vec<_>>());
    for n in 0..SHARDS {
        check(store, shard(n), 700, 0).await;
    }
}

#[tokio::test]
async fn a_failed_read_keeps_the_disk_out_of_service_and_changes_nothing() {
    for index_lost in [false, true] {
        let clean = killed(index_lost).await;
        let length = clean.volume(VOLUME).len() as u64;
        for start in (0..length.min(VOLUME_DATA_START + SHARDS * 1536)).step_by(4096) {
            let disk = killed(index_lost).await;
            let before = disk.volume(VOLUME);
            disk.misread(fault(Misread::Fail(Errno::IO), start..start + 8192, 100));
            let error =
                try_open(&disk.process(), options()).err().unwrap_or_else(|| panic!("EIO at {start} was ignored"));
            let said = error.to_string();
            assert!(said.contains(PATH) && said.contains(&Errno::IO.to_string()), "{said}");
            assert!(start < 4096 || said.contains(VOLUME), "{said}");
            assert_eq!(disk.volume(VOLUME), before, "EIO at {start}");
            disk.heal_reads();
            check_all(&open(&disk.process())).await;
        }
    }
}

#[tokio::test]
async fn a_read_that_fails_once_is_repeated() {
    for start in [VOLUME_DATA_START, VOLUME_DATA_START + 8192] {
        let disk = killed(true).await;
        disk.misread(fault(Misread::Fail(Errno::IO), start..start + 512, 1));
        check_all(&open(&disk.process())).await;
    }
}

/// A shard that is missed because its header was misread is found missing by the comparison with metadata.
#[tokio::test]
async fn a_disk_that_misread_its_log_doubts_what_it_has() {
    for index_lost in [false, true] {
        for record in 0..SHARDS as usize {
            let disk = killed(index_lost).await;
            let header = records(&disk)[record];
            disk.misread(fault(Misread::Corrupt, header.place.offset..header.place.offset + 20, 1));
            let store = open(&disk.process());
            let missed: Vec<ShardId> = vec![header.shard];
            assert_eq!((0..SHARDS).map(shard).filter(|s| !missed.contains(s)).collect::<Vec<_>>(), all(&store).await);
            assert!(store.is_in_doubt() && store.condition().state == DiskState::Active, "record {record}");
        }
    }
}

#[tokio::test]
async fn a_start_that_reads_only_records_and_holes_leaves_no_doubt() {
    check_all(&open(&killed(false).await.process())).await;
    let disk = killed(false).await;
    let store = open(&disk.process());
    // Some of these share blocks with live neighbours.
    delete(&store, &[1, 2, 3, 4, 5, 6, 9, 12].map(shard)).await.unwrap();
    store.checkpoint();
    assert!(!store.is_in_doubt());
    store.close();
    drop(store);
    assert!(!open(&disk.process()).is_in_doubt());
    disk.kill();
    disk.remove_index().unwrap();
    assert!(open(&disk.process()).is_in_doubt(), "without an index, damage and deletions look the same");
}

fn written(header: &RecordHeader) -> Range<usize> {
    let start = header.place.offset as usize;
    start..start + header.footer_start() as usize + FOOTER_BYTES
}

#[tokio::test]
async fn a_volume_with_a_damaged_header_stays_until_metadata_was_compared() {
    for index_lost in [false, true] {
        let disk = killed(index_lost).await;
        let header = records(&disk)[7];
        disk.tamper(VOLUME, |bytes| bytes[header.place.offset as usize + 30] ^= 1);
        let store = open(&disk.process());
        let condition = store.condition();
        assert!(condition.reason.contains(PATH) && condition.state == DiskState::Active, "{condition:?}");
        let rest: Vec<ShardId> = (0..SHARDS).map(shard).filter(|id| *id != header.shard).collect();
        assert_eq!(all(&store).await, rest);
        let before = disk.volume(VOLUME)[written(&header)].to_vec();
        delete(&store, &rest).await.unwrap();
        for _ in 0..3 {
            store.compact();
            store.checkpoint();
        }
        store.close();
        drop(store);
        // A restart remembers it, and nothing takes the place away.
        let store = open(&disk.process());
        assert!(store.is_in_doubt());
        store.checkpoint();
        assert_eq!(disk.volume(VOLUME)[written(&header)], before);
        store.end_doubt();
        store.checkpoint();
        store.checkpoint();
        assert!(!disk.list_volumes().unwrap().contains(&VOLUME.to_owned()));
        assert!(store.condition().reason.is_empty());
        store.close();
        drop(store);
        assert!(!open(&disk.process()).is_in_doubt());
    }
}

/// Without the tombstone, an older record would count again once the index is lost.
#[tokio::test]
async fn a_volume_with_a_tombstone_that_cannot_be_read_is_not_compacted_away() {
    let disk = formatted();
    let small = StoreOptions { volume_bytes: 32 << 10, ..options() };
    let store = open_with(&disk, small);
    for n in 0..27 {
        put(&store, shard(n), 600, 0).await.unwrap();
    }
    store.close();
    drop(store);
    let store = open_with(&disk, small);
    delete(&store, &[shard(5)]).await.unwrap();
    put(&store, shard(50), 20_000, 0).await.unwrap();
    delete(&store, &[shard(50)]).await.unwrap();
    store.close();
    drop(store);
    let store = open_with(&disk, small);
    put(&store, shard(60), 600, 0).await.unwrap();
    let (file, range) = (Some("00000002.vol".to_owned()), VOLUME_DATA_START..VOLUME_DATA_START + 512);
    disk.misread(ReadFault { what: Misread::Fail(Errno::IO), file, range, after: 0, times: 1000 });
    store.compact();
    store.checkpoint();
    assert!(disk.list_volumes().unwrap().contains(&"00000002.vol".to_owned()));
    disk.heal_reads();
    store.close();
    drop(store);
    disk.remove_index().unwrap();
    check_error(&open_with(&disk, small), shard(5), 600, StorageErrorKind::Missing).await;
}

#[tokio::test]
async fn a_dead_volume_that_cannot_be_read_stays() {
    let disk = formatted();
    let store = open(&disk.process());
    for n in 1..3 {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    store.close();
    drop(store);
    let store = open(&disk.process());
    put(&store, shard(3), 700, 0).await.unwrap();
    disk.misread(fault(Misread::Fail(Errno::IO), VOLUME_DATA_START..VOLUME_DATA_START + 1024, 1000));
    delete(&store, &[shard(1), shard(2)]).await.unwrap();
    store.checkpoint();
    store.checkpoint();
    assert_eq!(disk.list_volumes().unwrap(), [VOLUME, "00000002.vol"]);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_not_given_up() {
    let disk = formatted();
    let store = open(&disk.process());
    for n in 0..SHARDS {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    store.close();
    drop(store);
    disk.kill();
    // Only the index knows this shard.
    disk.tamper(VOLUME, |bytes| bytes[VOLUME_DATA_START as usize + 30] ^= 1);
    let unreadable = ReadFault {
        what: Misread::Fail(Errno::IO),
        file: Some("index".to_owned()),
        range: 0..u64::MAX,
        after: 0,
        times: 100_000,
    };
    // Each read of the index fails in turn, until the fault comes after all of them; without a cache, so that what was read
    // when it was opened is read again for its checkpoint.
    let uncached = StoreOptions { index_cache_bytes: 0, ..options() };
    let (mut refused, mut opened) = (0, None);
    while opened.is_none() {
        disk.misread(ReadFault { after: refused, ..unreadable.clone() });
        match try_open(&disk.process(), uncached) {
            Ok(store) => opened = Some(store),
            Err(error) => {
                assert!(matches!(error, OpenError::UnreadableIndex { .. }), "after {refused} reads: {error}");
                refused += 1;
            }
        }
        disk.heal_reads();
    }
    assert!(refused > 6, "only {refused} reads");
    let store = opened.unwrap();
    assert_eq!(all(&store).await.len() as u64, SHARDS);
    check_error(&store, shard(0), 700, StorageErrorKind::Corrupt).await;
}

#[tokio::test]
async fn a_record_that_is_not_whole_is_reported_as_missing() {
    let disk = killed(false).await;
    let last = records(&disk)[SHARDS as usize - 1];
    let cells = (last.place.offset as usize + HEADER_BYTES + 100)..;
    let end = written(&last).end;
    disk.tamper(VOLUME, |bytes| bytes[cells.start..end].fill(0));
    let store = open(&disk.process());
    let findings = store.unreported_findings(10);
    assert_eq!(findings.iter().map(|finding| finding.shard).collect::<Vec<_>>(), [last.shard], "{findings:?}");
}

/// Only its footer says whether a damaged shard was ever acknowledged.
#[tokio::test]
async fn a_damaged_shard_whose_footer_cannot_be_read_keeps_the_disk_out_of_service() {
    for index_lost in [false, true] {
        let disk = killed(index_lost).await;
        let last = records(&disk)[SHARDS as usize - 1];
        disk.tamper(VOLUME, |bytes| bytes[last.place.offset as usize + HEADER_BYTES + 100] ^= 1);
        let footer = last.place.offset + last.footer_start();
        disk.misread(fault(Misread::Fail(Errno::IO), footer..footer + FOOTER_BYTES as u64, 100));
        let said = try_open(&disk.process(), options()).err().expect("the footer cannot be read").to_string();
        assert!(said.contains(VOLUME) && said.contains(&Errno::IO.to_string()), "{said}");
        disk.heal_reads();
        let findings = open(&disk.process()).unreported_findings(10);
        assert_eq!(findings.iter().map(|finding| finding.shard).collect::<Vec<_>>(), [last.shard], "{findings:?}");
    }
}

#[tokio::test]
async fn a_slow_read_delays_and_nothing_else() {
    let disk = killed(false).await;
    disk.misread(fault(Misread::Delay(Duration::from_millis(20)), 0..u64::MAX, 5));
    check_all(&open(&disk.process())).await;
}

/// A header vouches only for what is on stable storage.
#[tokio::test]
async fn no_header_vouches_for_a_record_that_is_still_being_written() {
    let disk = formatted();
    let store = open(&disk);
    let mut streaming = store.open_shard(content(shard(1), 5000, 0).0).await.unwrap();
    for n in 2..6 {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    let vouched = |header: &RecordHeader| {
        RecordHeader::synced_before(&disk.volume(VOLUME)[header.place.offset as usize..][..HEADER_BYTES])
    };
    let written = records(&disk);
    assert!(written.iter().any(|header| header.shard == shard(5)));
    for header in &written {
        assert!(vouched(header) <= VOLUME_DATA_START, "{} vouches for {}", header.shard, vouched(header));
    }
    streaming.append(content(shard(1), 5000, 0).1).await.unwrap();
    streaming.finish().await.unwrap();
    for n in 6..8 {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    assert!(vouched(records(&disk).last().unwrap()) > VOLUME_DATA_START);
}

/// The kernel forgets what a failed sync did not write: a second sync succeeds without it (I2).
#[tokio::test]
async fn a_write_that_waits_while_a_sync_fails_is_not_acknowledged_by_the_next() {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(1), 100, 0).await.unwrap();
    disk.hold_syncs(true);
    disk.fail(None);
    let writing = |n: u64| {
        let store = store.clone();
        tokio::spawn(async move { put(&store, shard(n), 100, 0).await })
    };
    let first = writing(2);
    wait_until(|| disk.operations() == 1).await;
    let second = writing(3);
    wait_until(|| disk.operations() == 2).await;
    // The next operation is the first write's sync.
    disk.fail(Some(crate::disk_io::simulated::Fault { at: 1, errno: Errno::IO }));
    disk.hold_syncs(false);
    assert!(first.await.unwrap().is_err() && second.await.unwrap().is_err());
    disk.crash(|| false);
    drop(store);
    assert_eq!(all(&open(&disk)).await, [shard(1)]);
}

#[tokio::test]
async fn the_name_of_a_volume_is_durable_before_anything_in_it_is_acknowledged() {
    let disk = formatted();
    let options = StoreOptions { volume_bytes: 20_000, ..options() };
    let store = open_with(&disk, options);
    for n in 0..SHARDS {
        put(&store, shard(n), 5000, 0).await.unwrap();
    }
    assert!(disk.list_volumes().unwrap().len() > 3);
    disk.crash(|| false);
    drop(store);
    let store = open_with(&disk, options);
    assert_eq!(all(&store).await, (0..SHARDS).map(shard).collect::<Vec<_>>());
    // A removed volume may come back, and what it held stays dead.
    delete(&store, &(0..SHARDS).map(shard).collect::<Vec<_>>()).await.unwrap();
    store.close();
    drop(store);
    disk.crash(|| false);
    disk.remove_index().unwrap();
    assert_eq!(all(&open_with(&disk, options)).await, []);
}

#[test]
fn a_superblock_that_cannot_be_read_is_no_missing_disk() {
    let disk = formatted();
    let block = IdentityBlock { identity: identity(), created_ms: 1 };
    disk.misread(ReadFault {
        what: Misread::Fail(Errno::IO),
        file: Some("superblock".to_owned()),
        range: 0..u64::MAX,
        after: 0,
        times: 2,
    });
    assert!(matches!(try_open(&disk.process(), options()), Err(OpenError::Io { .. })));
    let formatted = super::super::format(&disk, PATH, &block);
    assert!(matches!(formatted, Err(OpenError::Io { .. })), "{formatted:?}");
    assert_eq!(disk.read_file("superblock").unwrap(), block.encode(BlockKind::Superblock));
}
