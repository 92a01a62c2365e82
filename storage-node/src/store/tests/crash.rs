//! Power loss (I1, I4): what was acknowledged survives, whatever else does.

use super::*;

#[tokio::test]
async fn every_acknowledged_shard_survives_a_crash_right_after_its_acknowledgement() {
    for seed in 0..40 {
        let disk = formatted();
        let mut dice = Dice(seed);
        let mut acknowledged: Vec<(ShardId, u64)> = Vec::new();
        let mut deleted: Vec<ShardId> = Vec::new();
        for round in 0..6u64 {
            let store = open(&disk);
            for (id, bytes) in &acknowledged {
                check(&store, *id, *bytes, 0).await;
            }
            for id in &deleted {
                check_error(&store, *id, 1, StorageErrorKind::Missing).await;
            }
            // Streams that the crash interrupts, before and after the others.
            let (header, cells) = content(shard(1000 + round * 10), 40_000, 0);
            let mut unfinished = store.open_shard(header).await.unwrap();
            unfinished.append(cells[..3].to_vec()).await.unwrap();
            let unfinished_too = store.open_shard(content(shard(1001 + round * 10), 5000, 0).0).await.unwrap();
            for n in 0..dice.roll(8) {
                let (id, bytes) = (shard(round * 100 + n), 1 + dice.roll(30_000));
                if dice.roll(2) == 0 {
                    put(&store, id, bytes, 0).await.unwrap();
                } else {
                    stream(&store, id, bytes, 0, 3).await.unwrap();
                }
                acknowledged.push((id, bytes));
            }
            if !acknowledged.is_empty() && dice.roll(2) == 0 {
                let (id, _) = acknowledged.swap_remove(dice.roll(acknowledged.len() as u64) as usize);
                delete(&store, &[id]).await.unwrap();
                deleted.push(id);
            }
            if dice.roll(3) == 0 {
                store.close();
            }
            let chance = dice.roll(4);
            disk.crash(|| dice.roll(3) < chance);
            if dice.roll(3) == 0 {
                disk.remove_index().unwrap();
            }
            drop((unfinished, unfinished_too, store));
        }
    }
}

#[tokio::test]
async fn an_abandoned_stream_leaves_nothing() {
    let disk = formatted();
    let store = open(&disk);
    let (header, cells) = content(shard(1), 100_000, 0);
    let mut writer = store.open_shard(header).await.unwrap();
    writer.append(cells[..50].to_vec()).await.unwrap();
    drop(writer);
    put(&store, shard(2), 100, 0).await.unwrap();
    store.close();
    let occupied = disk.open_volume("00000001.vol").unwrap().allocated_bytes().unwrap();
    assert!(occupied <= 5 * 4096, "{occupied} bytes are occupied");
    drop(store);
    disk.remove_index().unwrap();
    let store = open(&disk);
    assert_eq!(all(&store).await, [shard(2)]);
}

#[tokio::test]
async fn a_streamed_shard_is_acknowledged_with_its_footer() {
    let disk = formatted();
    let store = open(&disk);
    stream(&store, shard(1), 2500, 0, 2).await.unwrap();
    drop(store);
    disk.crash(|| false);
    let header = crate::format::RecordHeader::of_shard(&content(shard(1), 2500, 0).0, crate::format::Place::default());
    let footer = (crate::format::VOLUME_DATA_START + header.footer_start()) as usize;
    assert_eq!(&disk.volume("00000001.vol")[footer..footer + 8], b"CAIRNEND");
}

#[tokio::test]
async fn all_shards_of_a_deletion_stay_dead_without_the_index() {
    let disk = formatted();
    let store = open(&disk);
    for n in 0..16 {
        put(&store, shard(n), 600, 0).await.unwrap();
    }
    // Each shares its block with live shards, so its header stays on disk.
    delete(&store, &[1, 6, 11, 14].map(shard)).await.unwrap();
    drop(store);
    disk.crash(|| false);
    disk.remove_index().unwrap();
    let expected: Vec<ShardId> = (0..16).filter(|n| ![1, 6, 11, 14].contains(n)).map(shard).collect();
    assert_eq!(all(&open(&disk)).await, expected);
}
