//! The index on a disk that refuses it (I21): reads and deletions go on, and a crash leaves no wrong index.

use cairn_core::cluster_map::DiskState;
use rustix::io::Errno;

use super::*;

async fn some(disk: &SimulatedDisk) -> DiskStore {
    let store = open(disk);
    for n in 0..40 {
        put(&store, shard(n), 700, 0).await.unwrap();
    }
    store.checkpoint();
    store
}

async fn check_some(store: &DiskStore) {
    let expected: Vec<ShardId> = (0..60).filter(|n| n % 5 != 0).map(shard).collect();
    assert_eq!(all(store).await, expected);
    for id in expected {
        check(store, id, 700, 0).await;
    }
}

async fn change(store: &DiskStore) {
    for n in 40..60 {
        put(store, shard(n), 700, 0).await.unwrap();
    }
    let gone: Vec<ShardId> = (0..60).filter(|n| n % 5 == 0).map(shard).collect();
    delete(store, &gone).await.unwrap();
}

#[tokio::test]
async fn an_index_without_room_lives_in_memory_until_there_is_some() {
    for crash_early in [true, false] {
        let disk = formatted();
        let store = some(&disk).await;
        disk.fail_index(Some(Errno::NOSPC));
        change(&store).await;
        for _ in 0..3 {
            store.checkpoint();
            check_some(&store).await;
        }
        assert_eq!(store.condition().state, DiskState::Active);
        assert!(store.index_is_behind());
        if !crash_early {
            disk.fail_index(None);
            store.checkpoint();
            assert!(!store.index_is_behind());
            check_some(&store).await;
        }
        disk.crash(|| true);
        disk.fail_index(None);
        drop(store);
        check_some(&open(&disk)).await;
    }
}

#[tokio::test]
async fn a_clean_end_with_the_index_in_memory_is_no_clean_index() {
    let disk = formatted();
    let store = some(&disk).await;
    disk.fail_index(Some(Errno::NOSPC));
    change(&store).await;
    store.close();
    drop(store);
    disk.kill();
    disk.fail_index(None);
    check_some(&open(&disk)).await;
}

#[tokio::test]
async fn a_disk_that_fails_the_index_is_suspect_and_serves() {
    let disk = formatted();
    let store = some(&disk).await;
    change(&store).await;
    disk.fail_index(Some(Errno::IO));
    store.checkpoint();
    assert_eq!(store.condition().state, DiskState::Suspect);
    check_some(&store).await;
    disk.crash(|| true);
    disk.fail_index(None);
    drop(store);
    check_some(&open(&disk)).await;
}

/// Power is lost after each operation of a checkpoint.
#[tokio::test]
async fn a_crash_at_any_moment_of_a_checkpoint_changes_nothing() {
    for after in 0.. {
        let disk = formatted();
        let store = some(&disk).await;
        change(&store).await;
        disk.stop_after(after);
        store.checkpoint();
        let has_stopped = disk.has_stopped();
        let mut dice = Dice(after);
        disk.crash(|| dice.roll(2) == 0);
        drop(store);
        check_some(&open(&disk)).await;
        if !has_stopped {
            assert!(after > 3, "a checkpoint has {after} operations");
            break;
        }
    }
}

#[tokio::test]
async fn a_disk_with_a_failed_sync_of_the_index_is_suspect_and_serves() {
    let disk = formatted();
    let store = some(&disk).await;
    change(&store).await;
    disk.fail_index_syncs(Some(Errno::IO));
    store.checkpoint();
    assert_eq!(store.condition().state, DiskState::Suspect);
    disk.fail_index_syncs(None);
    for _ in 0..2 {
        store.checkpoint();
        check_some(&store).await;
    }
    assert!(store.index_is_behind());
    // The page cache outlives the process, and is then lost.
    disk.kill();
    drop(store);
    let store = open(&disk);
    check_some(&store).await;
    disk.crash(|| true);
    drop(store);
    check_some(&open(&disk)).await;
}
