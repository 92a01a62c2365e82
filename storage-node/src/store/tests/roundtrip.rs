//! What is stored is read back, on both kinds of disk.

use super::scrub::records;
use super::*;
use crate::disk_io::RealDisk;

async fn contract(io: impl DiskIo + Clone) {
    format(&io);
    let store = open(&io);
    for n in 0..20 {
        put(&store, shard(n), 1 + n * 700, 0).await.unwrap();
    }
    stream(&store, shard(100), 300_000, 0, 7).await.unwrap();
    put(&store, shard(101), 2_000_000, 0).await.unwrap();
    for round in 0..2 {
        for n in 0..20 {
            check(&store, shard(n), 1 + n * 700, 0).await;
        }
        check(&store, shard(100), 300_000, 0).await;
        check(&store, shard(101), 2_000_000, 0).await;
        assert_eq!(store.usage().shards, 22, "round {round}");
    }
    let middle = read(&store, shard(100), 300_000, 17..19).await.unwrap();
    assert_eq!(middle, content(shard(100), 300_000, 0).1[17..19]);

    delete(&store, &[shard(3), shard(4), shard(100), shard(999)]).await.unwrap();
    check_error(&store, shard(3), 2101, StorageErrorKind::Missing).await;
    check_error(&store, shard(100), 300_000, StorageErrorKind::Missing).await;
    let expected: Vec<_> = (0..20).chain([101]).filter(|n| ![3, 4].contains(n)).map(shard).collect();
    assert_eq!(all(&store).await, expected);

    // A shard that is written again, as by a rebuild, replaces the one before.
    put(&store, shard(5), 900, 1).await.unwrap();
    check(&store, shard(5), 900, 1).await;
    assert_eq!(store.usage().shards, 19);

    store.close();
    drop(store);
    let store = open(&io);
    assert_eq!((all(&store).await, store.usage().shards), (expected, 19));
    check(&store, shard(5), 900, 1).await;
    check(&store, shard(101), 2_000_000, 0).await;
    check_error(&store, shard(3), 2101, StorageErrorKind::Missing).await;
    put(&store, shard(3), 50, 2).await.unwrap();
    check(&store, shard(3), 50, 2).await;
    store.close();
}

#[tokio::test]
async fn a_simulated_disk_returns_what_was_stored() {
    contract(SimulatedDisk::default()).await;
}

#[tokio::test]
async fn a_simulated_disk_with_a_warm_page_cache_returns_what_was_stored() {
    let disk = SimulatedDisk::default();
    disk.set_cached(true);
    contract(disk).await;
}

#[tokio::test]
async fn a_real_disk_returns_what_was_stored() {
    let directory = tempfile::tempdir().unwrap();
    contract(RealDisk::new(&directory.path().join("disk1"))).await;
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let disk = formatted();
    let store = open(&disk);
    let (header, cells) = content(shard(1), 2500, 0);
    let kind = |result: Result<(), StorageError>| result.unwrap_err().kind;
    let invalid = StorageErrorKind::Invalid;
    assert_eq!(kind(store.put_shard(header.clone(), cells[..2].to_vec()).await), invalid);
    assert_eq!(kind(store.put_shard(header.clone(), vec![cells[2].clone(); 3]).await), invalid);
    let geometry = Geometry { cell_bytes: 0, ..header.geometry };
    assert_eq!(kind(store.put_shard(ShardHeader { geometry, ..header.clone() }, cells.clone()).await), invalid);
    let id = ShardId { index: 3, ..header.id };
    assert_eq!(kind(store.put_shard(ShardHeader { id, ..header.clone() }, cells.clone()).await), invalid);
    let descriptor = Bytes::from(vec![0; 100_000]);
    assert_eq!(kind(store.put_shard(ShardHeader { descriptor, ..header.clone() }, cells.clone()).await), invalid);
    let mut writer = store.open_shard(header.clone()).await.unwrap();
    writer.append(cells[..2].to_vec()).await.unwrap();
    assert_eq!(kind(writer.finish().await), invalid);
    for stripes in [0..4, 4..5, 0..1000] {
        assert_eq!(read(&store, shard(1), 2500, stripes).await.unwrap_err().kind, invalid);
    }
    check_error(&store, shard(1), 2500, StorageErrorKind::Missing).await;
    assert_eq!(all(&store).await, []);
}

#[tokio::test]
async fn many_writers_share_their_syncs() {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(0), 10, 0).await.unwrap();
    disk.hold_syncs(true);
    let puts = (1..=200).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { put(&store, shard(n), 100, 0).await.unwrap() })
    });
    let puts: Vec<_> = puts.collect();
    wait_until(|| records(&disk).len() == 201).await;
    let written = disk.operations();
    disk.hold_syncs(false);
    for put in puts {
        put.await.unwrap();
    }
    // The held sync acknowledges what was written before it, and the next one everything else.
    let syncs = disk.operations() - written;
    assert!(syncs <= 2, "{syncs} syncs for 200 shards");
    assert_eq!(store.usage().shards, 201);
}

#[tokio::test]
async fn a_deletion_overtakes_a_shard_that_is_being_written() {
    let disk = formatted();
    let store = open(&disk);
    let (header, cells) = content(shard(1), 2500, 0);
    let mut writer = store.open_shard(header).await.unwrap();
    writer.append(cells).await.unwrap();
    delete(&store, &[shard(1)]).await.unwrap();
    assert_eq!(writer.finish().await.unwrap_err().kind, StorageErrorKind::Refused);
    check_error(&store, shard(1), 2500, StorageErrorKind::Missing).await;
    store.close();
    drop(store);
    disk.remove_index().unwrap();
    check_error(&open(&disk), shard(1), 2500, StorageErrorKind::Missing).await;
}

#[tokio::test]
async fn the_later_place_of_two_writes_counts_whichever_ends_first() {
    let disk = formatted();
    let store = open(&disk);
    let (header, cells) = content(shard(1), 2500, 0);
    let mut early = store.open_shard(header).await.unwrap();
    early.append(cells).await.unwrap();
    put(&store, shard(1), 2500, 1).await.unwrap();
    early.finish().await.unwrap();
    check(&store, shard(1), 2500, 1).await;
    assert_eq!(store.usage().shards, 1);
    store.close();
    drop(store);
    disk.remove_index().unwrap();
    check(&open(&disk), shard(1), 2500, 1).await;
}

#[tokio::test]
async fn a_checkpoint_beside_an_open_stream_loses_nothing() {
    let disk = formatted();
    let store = open(&disk);
    let (header, cells) = content(shard(1), 2500, 0);
    let mut open_stream = store.open_shard(header).await.unwrap();
    open_stream.append(cells).await.unwrap();
    for n in 2..10 {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    delete(&store, &[shard(2), shard(3)]).await.unwrap();
    put(&store, shard(3), 900, 1).await.unwrap();
    store.checkpoint();
    open_stream.finish().await.unwrap();
    let (header, _) = content(shard(20), 9000, 0);
    let stuck = store.open_shard(header).await.unwrap();
    put(&store, shard(11), 700, 0).await.unwrap();
    disk.crash(|| false);
    drop((stuck, store));
    let store = open(&disk);
    let expected: Vec<_> = [1, 3, 4, 5, 6, 7, 8, 9, 11].map(shard).to_vec();
    assert_eq!((all(&store).await, store.usage().shards), (expected, 9));
    check(&store, shard(1), 2500, 0).await;
    check(&store, shard(3), 900, 1).await;
}
