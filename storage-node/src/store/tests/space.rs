//! Space: the reserve, holes, dead volumes (I21, I29).

use cairn_core::cluster_map::DiskState;

use super::*;

#[tokio::test]
async fn a_disk_below_the_reserve_serves_deletes_and_recovers_by_itself() {
    let disk = formatted();
    let store = open_with(&disk, StoreOptions { reserve_bytes: 1 << 20, ..options() });
    put(&store, shard(1), 5000, 0).await.unwrap();
    put(&store, shard(2), 5000, 0).await.unwrap();
    disk.set_available((1 << 20) - 1);
    assert_eq!(put(&store, shard(3), 5000, 0).await.unwrap_err().kind, StorageErrorKind::Full);
    assert_eq!(stream(&store, shard(3), 5000, 0, 1).await.unwrap_err().kind, StorageErrorKind::Full);
    assert_eq!(store.condition().state, DiskState::Full);
    check(&store, shard(1), 5000, 0).await;
    delete(&store, &[shard(1)]).await.unwrap();
    check_error(&store, shard(1), 5000, StorageErrorKind::Missing).await;
    disk.set_available(1 << 30);
    put(&store, shard(3), 5000, 0).await.unwrap();
    check(&store, shard(3), 5000, 0).await;
}

#[tokio::test]
async fn a_deleted_shard_gives_its_blocks_back() {
    let disk = formatted();
    let store = open(&disk);
    for n in 0..10 {
        put(&store, shard(n), 15_000, 0).await.unwrap();
    }
    delete(&store, &(0..9).map(shard).collect::<Vec<_>>()).await.unwrap();
    store.close();
    let occupied = disk.open_volume("00000001.vol").unwrap().allocated_bytes().unwrap();
    assert!(occupied <= 8 * 4096, "{occupied} bytes are occupied by one shard of 15,000");
    check(&open(&disk), shard(9), 15_000, 0).await;
}

fn volumes(disk: &SimulatedDisk) -> usize {
    disk.list_volumes().unwrap().len()
}

#[tokio::test]
async fn dead_volumes_go_and_their_tombstones_stay_as_long_as_they_are_needed() {
    let disk = formatted();
    let small = StoreOptions { volume_bytes: 20_000, ..options() };
    let store = open_with(&disk, small);
    // One survivor in the first volume, which also holds a shard that dies: its tombstone must outlast everything.
    put(&store, shard(1), 5000, 0).await.unwrap();
    put(&store, shard(2), 5000, 0).await.unwrap();
    for n in 10..40 {
        put(&store, shard(n), 5000, 0).await.unwrap();
    }
    assert!(volumes(&disk) > 10);
    delete(&store, &[shard(2)]).await.unwrap();
    delete(&store, &(10..40).map(shard).collect::<Vec<_>>()).await.unwrap();
    put(&store, shard(50), 19_000, 0).await.unwrap();
    store.close();
    drop(store);
    // The survivor's, the tombstones', and the newest.
    assert_eq!(volumes(&disk), 3, "{:?}", disk.list_volumes());
    for index_lost in [true, false] {
        if index_lost {
            disk.remove_index().unwrap();
        }
        let store = open_with(&disk, small);
        assert_eq!(all(&store).await, [shard(1), shard(50)]);
        store.end_doubt();
        store.close();
    }
    let store = open_with(&disk, small);
    delete(&store, &[shard(1), shard(50)]).await.unwrap();
    store.close();
    drop(store);
    let store = open_with(&disk, small);
    put(&store, shard(60), 19_000, 0).await.unwrap();
    store.close();
    drop(store);
    // Dead volumes are removed one by one, the oldest first: each keeps those before it dead.
    for _ in 0..4 {
        let store = open_with(&disk, small);
        put(&store, shard(60), 19_000, 0).await.unwrap();
        store.close();
    }
    assert!(volumes(&disk) <= 2, "{:?}", disk.list_volumes());
    disk.remove_index().unwrap();
    assert_eq!(all(&open_with(&disk, small)).await, [shard(60)]);
}

#[tokio::test]
async fn deletions_have_room_when_nothing_is_free() {
    let disk = formatted();
    disk.set_capacity(4 << 20);
    let store = open(&disk);
    let mut stored = 0;
    while put(&store, shard(stored), 700, 0).await.is_ok() {
        stored += 1;
    }
    let spare = disk.spare_bytes();
    assert!(stored > 200 && spare > 0, "{stored} shards, {spare} bytes set aside");
    disk.fill_all_but(0);
    // Every fourth shard alone frees no block: it shares one with its neighbours.
    for n in (0..80).step_by(4) {
        delete(&store, &[shard(n)]).await.unwrap();
    }
    assert_eq!((disk.spare_bytes(), disk.space().unwrap().available_bytes), (spare, 0));
    store.close();
    drop(store);
    // After a restart too, with the spare file.
    disk.fill_all_but(0);
    let store = open(&disk);
    for n in (80..160).step_by(4) {
        delete(&store, &[shard(n)]).await.unwrap();
    }
    check(&store, shard(81), 700, 0).await;
    disk.crash(|| false);
    disk.remove_index().unwrap();
    drop(store);
    let expected: Vec<ShardId> = (0..stored).filter(|n| n % 4 != 0 || *n >= 160).map(shard).collect();
    assert_eq!(all(&open(&disk)).await, expected);
}
