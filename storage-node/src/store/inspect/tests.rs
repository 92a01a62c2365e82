//! Inspection of real directories.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::id::{ClusterId, DiskId, ExtentId, SessionId};
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_protocol::storage::{DeleteOrder, DeleteProof};

use super::*;
use crate::disk_io::RealDisk;
use crate::format::{DiskIdentity, IdentityBlock};
use crate::store::tests::dependencies;
use crate::store::volume_files::volume_name;
use crate::store::{DiskStore, ExpectedDisk, ScrubOptions, StoreOptions};

const DELETED: [u64; 3] = [3, 50, 51];

fn shard(counter: u64) -> ShardId {
    ShardId { extent: ExtentId::new(SessionId(7), counter), index: 1 }
}

fn content(counter: u64) -> Vec<u8> {
    (0..counter * 150).map(|n| ((n * (counter + 3)) >> 2) as u8).collect()
}

fn open(path: &Path) -> DiskStore {
    let DiskIdentity { cluster, disk, .. } = identity();
    let scrub = ScrubOptions { period: std::time::Duration::ZERO, ..ScrubOptions::default() };
    let options = StoreOptions { volume_bytes: 128 << 10, reserve_bytes: 0, scrub, ..StoreOptions::default() };
    let io = Arc::new(RealDisk::new(path));
    DiskStore::open(ExpectedDisk { io, path: "disk".to_owned(), cluster, disk }, options, &dependencies()).unwrap()
}

fn identity() -> DiskIdentity {
    DiskIdentity { cluster: ClusterId::from_random([1; 16]), disk: DiskId::from_random([2; 16]), salt: [3; 32] }
}

async fn put(store: &DiskStore, n: u64) {
    let geometry =
        cairn_core::geometry::Geometry { data_shards: 1, parity_shards: 2, cell_bytes: 4096, length: n * 150 };
    let data = content(n);
    let cells = (0..).zip(data.chunks(4096));
    let cells = cells.map(|(stripe, piece)| Cell::new(Bytes::copy_from_slice(piece), shard(n).cell(stripe)));
    let profile = cairn_core::id::ProfileId(1);
    let header = ShardHeader { id: shard(n), profile, geometry, descriptor: Bytes::from_static(b"descriptor") };
    store.put_shard(header, cells.collect()).await.unwrap();
}

/// A disk with shards 1 to 99 except the deleted ones, in several volumes.
async fn disk() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("disk");
    crate::store::format(&RealDisk::new(&path), "disk", &IdentityBlock { identity: identity(), created_ms: 5 })
        .unwrap();
    let store = open(&path);
    for n in 1..100 {
        put(&store, n).await;
    }
    let order = DeleteOrder { proof: DeleteProof::Aborted(SessionId(7)), shards: DELETED.map(shard).to_vec() };
    store.delete_shards(order).await.unwrap();
    store.close();
    (directory, path)
}

/// Every file under a directory with its bytes.
fn snapshot(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut snapshot(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    files
}

fn flip(path: &Path, report: &ShardReport, at: u64) {
    let file = std::fs::File::options().read(true).write(true).open(volume(path, report.volume)).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, report.offset + at).unwrap();
    byte[0] ^= 8;
    file.write_all_at(&byte, report.offset + at).unwrap();
}

fn volume(path: &Path, number: u32) -> PathBuf {
    path.join("volumes").join(volume_name(number))
}

const VERIFY: InspectOptions = InspectOptions { verify: true, in_use: false };

#[tokio::test]
async fn a_disk_is_described_without_a_byte_written() {
    let (_directory, path) = disk().await;
    let before = snapshot(&path);
    let with_index = inspect(&path, VERIFY).unwrap();
    let mut data = Vec::new();
    assert_eq!(export(&path, shard(60), false, &mut data).unwrap(), 9000);
    assert_eq!(data, content(60));
    assert_eq!(snapshot(&path), before);
    assert_eq!((with_index.disk, with_index.cluster, with_index.created_ms), (identity().disk, identity().cluster, 5));
    assert_eq!(with_index.problems, []);
    let mut shards: Vec<ShardId> = with_index.shards.iter().map(|report| report.shard).collect();
    shards.sort_unstable();
    assert_eq!(shards, (1..100).filter(|n| !DELETED.contains(n)).map(shard).collect::<Vec<_>>());
    let sum = |of: fn(&VolumeReport) -> u64| with_index.volumes.iter().map(of).sum::<u64>();
    assert!(with_index.volumes.len() >= 5, "{:?}", with_index.volumes);
    assert_eq!((sum(|v| v.live_shards), sum(|v| v.tombstones)), (96, 1));
    assert!(sum(|v| v.shard_records) >= 96 && sum(|v| v.live_bytes) > 96 * 7500);

    for damaged in [false, true] {
        let index = path.join("index.redb");
        if damaged {
            std::fs::write(index, b"no index").unwrap();
        } else {
            std::fs::remove_file(index).unwrap();
        }
        assert_eq!(inspect(&path, VERIFY).unwrap(), with_index);
    }
}

#[tokio::test]
async fn planted_damage_is_named_and_nothing_else() {
    let (_directory, path) = disk().await;
    let good = inspect(&path, VERIFY).unwrap();
    let report = |n| *good.shards.iter().find(|report| report.shard == shard(n)).unwrap();
    let (cell, footer, header) = (report(40), report(70), report(20));
    flip(&path, &cell, cell.head_bytes + 5000);
    flip(&path, &footer, footer.written_bytes - 3);
    flip(&path, &header, 33);
    let bad = inspect(&path, VERIFY).unwrap();
    let mut found: Vec<_> = bad.problems.iter().map(|p| (p.volume, p.offset, p.shard)).collect();
    found.sort_unstable();
    let mut expected = vec![
        (cell.volume, cell.offset, Some(cell.shard)),
        (footer.volume, footer.offset, Some(footer.shard)),
        // The volume alone does not show whose header it was.
        (header.volume, header.offset, None),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected, "{:?}", bad.problems);
    let refused = export(&path, cell.shard, false, &mut Vec::new());
    assert!(matches!(refused, Err(InspectError::Damaged { .. })), "{refused:?}");
    let gone = export(&path, shard(3), false, &mut Vec::new());
    assert!(matches!(gone, Err(InspectError::NoSuchShard { .. })), "{gone:?}");
    // Without `verify`, nothing is verified.
    assert_eq!(inspect(&path, InspectOptions::default()).unwrap().problems, []);
}

#[tokio::test]
async fn the_last_record_of_a_volume_is_not_taken_for_a_cut_off_write() {
    let (_directory, path) = disk().await;
    let good = inspect(&path, VERIFY).unwrap();
    let last = *good.shards.iter().rfind(|report| report.volume == 2).unwrap();
    flip(&path, &last, 33);
    let problems = inspect(&path, VERIFY).unwrap().problems;
    assert!(problems.iter().any(|p| (p.volume, p.offset) == (2, last.offset)), "{problems:?}");
}

/// Power was lost before the last record's cells were there, and after its header and footer were.
#[tokio::test]
async fn a_torn_tail_is_unfinished_and_no_problem_as_in_replay() {
    let (_directory, path) = disk().await;
    let store = open(&path);
    for n in 100..104 {
        put(&store, n).await;
    }
    store.close();
    drop(store);
    let good = inspect(&path, VERIFY).unwrap();
    let report = |n| *good.shards.iter().find(|report| report.shard == shard(n)).unwrap();
    let (before, torn) = (report(100), report(103));
    assert_eq!(before.volume, torn.volume);
    let wipe = |report: &ShardReport| {
        let file = std::fs::File::options().write(true).open(volume(&path, report.volume)).unwrap();
        file.write_all_at(&vec![0; report.body_bytes as usize], report.offset + report.head_bytes).unwrap();
    };
    wipe(&torn);
    let found = inspect(&path, VERIFY).unwrap();
    assert_eq!(found.problems, []);
    assert_eq!(found.shards, good.shards[..good.shards.len() - 1]);
    assert_eq!(good.shards.last(), Some(&torn));
    let unfinished = |of: &Inspection| of.volumes.iter().map(|v| v.unfinished).sum::<u64>();
    assert_eq!(unfinished(&found), unfinished(&good) + 1);
    assert!(matches!(export(&path, torn.shard, false, &mut Vec::new()), Err(InspectError::NoSuchShard { .. })));

    // What a later record settles was acknowledged: there it is damage.
    wipe(&before);
    let problems = inspect(&path, VERIFY).unwrap().problems;
    assert_eq!(problems.iter().map(|p| p.shard).collect::<Vec<_>>(), [Some(before.shard)], "{problems:?}");

    std::fs::remove_file(path.join("index.redb")).unwrap();
    let store = open(&path);
    let mut expected: Vec<ShardId> = found.shards.iter().map(|report| report.shard).collect();
    expected.sort_unstable();
    assert_eq!(store.inventory(None, 1000).await.unwrap(), expected);
    store.close();
}

#[tokio::test]
async fn a_lost_superblock_is_read_from_the_volumes() {
    let (_directory, path) = disk().await;
    let good = inspect(&path, VERIFY).unwrap();
    std::fs::remove_file(path.join("superblock")).unwrap();
    let found = inspect(&path, VERIFY).unwrap();
    assert_eq!((found.disk, &found.shards), (good.disk, &good.shards));
    assert!(found.problems[0].what.contains("superblock"), "{:?}", found.problems);
    assert!(matches!(inspect(&path.join("volumes"), VERIFY), Err(InspectError::NotADisk { .. })));
}

#[tokio::test]
async fn a_disk_in_use_is_left_alone_unless_told_otherwise() {
    let (_directory, path) = disk().await;
    let store = open(&path);
    assert!(matches!(inspect(&path, VERIFY), Err(InspectError::InUse { .. })));
    let seen = inspect(&path, InspectOptions { in_use: true, verify: true }).unwrap();
    assert_eq!((seen.shards.len(), seen.problems.len()), (96, 0), "{:?}", seen.problems);
    store.close();
}
