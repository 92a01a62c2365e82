//! Bit rot and misplaced bytes (I5, I9): noticed, and told apart from absence.

use super::*;
use crate::format::{HEADER_BYTES, VOLUME_DATA_START};

const VOLUME: &str = "00000001.vol";

async fn two_shards() -> SimulatedDisk {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(1), 2500, 0).await.unwrap();
    put(&store, shard(2), 2500, 0).await.unwrap();
    store.close();
    disk
}

fn flip(disk: &SimulatedDisk, at: usize) {
    disk.tamper(VOLUME, |bytes| bytes[at] ^= 0x10);
}

#[tokio::test]
async fn every_flipped_header_byte_is_noticed() {
    let disk = two_shards().await;
    let store = open(&disk);
    let start = VOLUME_DATA_START as usize;
    for at in start..start + HEADER_BYTES + b"what it is".len() {
        flip(&disk, at);
        check_error(&store, shard(1), 2500, StorageErrorKind::Corrupt).await;
        check(&store, shard(2), 2500, 0).await;
        flip(&disk, at);
        check(&store, shard(1), 2500, 0).await;
    }
}

#[tokio::test]
async fn every_flipped_cell_byte_is_noticed_by_the_reader() {
    let disk = two_shards().await;
    let store = open(&disk);
    let body = VOLUME_DATA_START as usize + HEADER_BYTES + b"what it is".len();
    for at in (body..body + 2500 + 3 * 32).step_by(11) {
        flip(&disk, at);
        let cells = read(&store, shard(1), 2500, 0..3).await.unwrap();
        let good = (0..3).zip(&cells).filter(|(stripe, cell)| cell.verify(shard(1).cell(*stripe))).count();
        assert_eq!(good, 2, "byte {at}");
        flip(&disk, at);
    }
}

#[tokio::test]
async fn swapped_shards_are_noticed() {
    let disk = two_shards().await;
    let store = open(&disk);
    disk.tamper(VOLUME, |bytes| {
        let start = VOLUME_DATA_START as usize;
        let record = (bytes.len() - start) / 2;
        let (first, second) = bytes[start..].split_at_mut(record);
        first.swap_with_slice(second);
    });
    check_error(&store, shard(1), 2500, StorageErrorKind::Corrupt).await;
    check_error(&store, shard(2), 2500, StorageErrorKind::Corrupt).await;
    let cells = read(&store, shard(1), 2500, 1..3).await.unwrap();
    assert!((1..3).zip(&cells).all(|(stripe, cell)| !cell.verify(shard(1).cell(stripe))));
}

#[tokio::test]
async fn a_shard_of_another_shape_is_corrupt_and_a_cut_volume_too() {
    let disk = two_shards().await;
    let store = open(&disk);
    let geometry = Geometry { length: 2501, ..content(shard(1), 2500, 0).0.geometry };
    let error = store.read_cells(shard(1), geometry, 0..1).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Corrupt);
    disk.tamper(VOLUME, |bytes| bytes.truncate(VOLUME_DATA_START as usize + 1000));
    check_error(&store, shard(1), 2500, StorageErrorKind::Corrupt).await;
    check_error(&store, shard(2), 2500, StorageErrorKind::Corrupt).await;
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_around_a_damaged_header() {
    let disk = formatted();
    let store = open(&disk);
    for n in 0..100 {
        put(&store, shard(n), 100 + n * 90, 0).await.unwrap();
    }
    delete(&store, &[shard(50), shard(51), shard(99)]).await.unwrap();
    store.close();
    drop(store);
    disk.remove_index().unwrap();
    let expected: Vec<_> = (0..99).filter(|n| ![50, 51].contains(n)).map(shard).collect();
    let store = open(&disk);
    assert_eq!(all(&store).await, expected);
    for n in (0..99).filter(|n| ![50, 51].contains(n)) {
        check(&store, shard(n), 100 + n * 90, 0).await;
    }
    store.close();
    drop(store);

    flip(&disk, VOLUME_DATA_START as usize + 30);
    disk.remove_index().unwrap();
    let store = open(&disk);
    assert_eq!(all(&store).await, expected[1..]);
    check_error(&store, shard(0), 100, StorageErrorKind::Missing).await;
}

#[tokio::test]
async fn user_bytes_that_look_like_a_record_are_never_taken_for_one() {
    let disk = two_shards().await;
    let record = disk.volume(VOLUME)[VOLUME_DATA_START as usize..].to_vec();
    let store = open(&disk);
    // A shard whose bytes are a whole record, at every alignment; then its own header is damaged.
    let id = shard(9);
    let geometry = Geometry { data_shards: 1, parity_shards: 2, cell_bytes: 64 << 10, length: 20_000 };
    let data: Vec<u8> = (0..512).flat_map(|_| 0..4).flat_map(|_| record[..512].to_vec()).take(20_000).collect();
    let header = ShardHeader { id, profile: ProfileId(1), geometry, descriptor: Bytes::new() };
    store.put_shard(header, vec![Cell::new(Bytes::from(data), id.cell(0))]).await.unwrap();
    store.close();
    drop(store);
    disk.tamper("00000002.vol", |bytes| bytes[VOLUME_DATA_START as usize + 50] ^= 1);
    disk.remove_index().unwrap();
    assert_eq!(all(&open(&disk)).await, [shard(1), shard(2)]);
}

#[tokio::test]
async fn a_record_with_a_damaged_footer_is_kept() {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(1), 2500, 0).await.unwrap();
    drop(store);
    disk.crash(|| false);
    let footer = VOLUME_DATA_START as usize + HEADER_BYTES + b"what it is".len() + 2500 + 3 * 32;
    flip(&disk, footer + 20);
    disk.remove_index().unwrap();
    let store = open(&disk);
    check(&store, shard(1), 2500, 0).await;
    drop(store);
    disk.crash(|| false);
    disk.tamper(VOLUME, |bytes| bytes[footer..footer + 80].fill(0));
    disk.remove_index().unwrap();
    let store = open(&disk);
    check(&store, shard(1), 2500, 0).await;
}
