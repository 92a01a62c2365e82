//! Failing writes and syncs (I2): nothing is retried into an acknowledgement.

use cairn_core::cluster_map::DiskState;
use rustix::io::Errno;

use super::*;
use crate::disk_io::simulated::Fault;

/// Writes, streams and deletes; returns what was acknowledged, and the kinds of all errors.
async fn script(store: &DiskStore) -> (Vec<(ShardId, u64)>, Vec<ShardId>, Vec<StorageErrorKind>) {
    let (mut there, mut gone, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..12u64 {
        let (id, bytes) = (shard(n), 500 + n * 3000);
        let result = match n % 3 {
            0 => stream(store, id, bytes, 0, 4).await,
            _ => put(store, id, bytes, 0).await,
        };
        match result {
            Ok(()) => there.push((id, bytes)),
            Err(error) => errors.push(error.kind),
        }
        if n % 4 == 3 && !there.is_empty() {
            let (id, _) = there.remove(0);
            match delete(store, &[id]).await {
                Ok(()) => gone.push(id),
                // Whether the tombstone survived is unknown, so nothing is expected of the shard any more.
                Err(error) => errors.push(error.kind),
            }
        }
    }
    (there, gone, errors)
}

/// Runs the script once for each of its operations, which fails.
async fn every_operation(errno: Errno, expected: StorageErrorKind, small: bool) {
    let options = if small { StoreOptions { volume_bytes: 64 << 10, ..options() } } else { options() };
    let clean = formatted();
    let store = open_with(&clean, options);
    clean.fail(None);
    script(&store).await;
    let operations = clean.operations();
    assert!(operations > 20, "the script makes {operations} operations");
    for at in 1..=operations {
        let disk = formatted();
        let store = open_with(&disk, options);
        disk.fail(Some(Fault { at, errno }));
        let (there, gone, errors) = script(&store).await;
        assert!(errors.iter().all(|kind| *kind == expected), "operation {at}: {errors:?}");
        // Blocks that cannot be allocated ahead are allocated when they are needed.
        let may_pass = expected == StorageErrorKind::Full;
        assert!(may_pass || !errors.is_empty(), "operation {at} failed and no caller got an error");
        let DiskCondition { state, reason } = store.condition();
        if expected == StorageErrorKind::Failed {
            assert_eq!(state, DiskState::Suspect, "operation {at}");
            assert!(reason.contains(PATH), "{reason}");
        } else {
            assert_eq!(state, DiskState::Active, "operation {at}: {reason}");
        }
        // Everything that was acknowledged reads back, before and after losing what was not synced.
        for (id, bytes) in &there {
            check(&store, *id, *bytes, 0).await;
        }
        disk.crash(|| false);
        let store = open_with(&disk, options);
        for (id, bytes) in &there {
            check(&store, *id, *bytes, 0).await;
        }
        for id in &gone {
            check_error(&store, *id, 1, StorageErrorKind::Missing).await;
        }
    }
}

#[tokio::test]
async fn an_io_error_at_any_operation_makes_the_disk_suspect() {
    every_operation(Errno::IO, StorageErrorKind::Failed, false).await;
    every_operation(Errno::IO, StorageErrorKind::Failed, true).await;
}

#[tokio::test]
async fn a_full_disk_at_any_operation_is_not_a_broken_disk() {
    every_operation(Errno::NOSPC, StorageErrorKind::Full, true).await;
}

#[tokio::test]
async fn a_process_without_descriptors_does_not_blame_the_disk() {
    every_operation(Errno::MFILE, StorageErrorKind::OutOfResources, true).await;
    every_operation(Errno::NOMEM, StorageErrorKind::OutOfResources, true).await;
}

#[tokio::test]
async fn a_filesystem_that_turns_read_only_makes_the_disk_suspect() {
    every_operation(Errno::ROFS, StorageErrorKind::Failed, true).await;
}

#[tokio::test]
async fn a_disk_whose_sync_failed_is_not_written_again() {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(1), 100, 0).await.unwrap();
    disk.fail(Some(Fault { at: 2, errno: Errno::IO }));
    assert_eq!(put(&store, shard(2), 100, 0).await.unwrap_err().kind, StorageErrorKind::Failed);
    let operations = disk.operations();
    assert_eq!(put(&store, shard(3), 100, 0).await.unwrap_err().kind, StorageErrorKind::Failed);
    assert_eq!(stream(&store, shard(4), 100, 0, 1).await.unwrap_err().kind, StorageErrorKind::Failed);
    assert_eq!(delete(&store, &[shard(1)]).await.unwrap_err().kind, StorageErrorKind::Failed);
    assert_eq!(disk.operations(), operations);
    check(&store, shard(1), 100, 0).await;
}

#[tokio::test]
async fn a_volume_that_failed_takes_nothing_more_also_after_a_restart() {
    for lose_power in [false, true] {
        let disk = formatted();
        let store = open(&disk);
        put(&store, shard(1), 100, 0).await.unwrap();
        disk.fail(Some(Fault { at: 2, errno: Errno::IO }));
        assert_eq!(put(&store, shard(2), 100, 0).await.unwrap_err().kind, StorageErrorKind::Failed);
        if lose_power {
            disk.crash(|| true);
        } else {
            disk.kill();
        }
        drop(store);
        let before = disk.volume("00000001.vol");
        let store = open(&disk);
        put(&store, shard(3), 100, 0).await.unwrap();
        delete(&store, &[shard(1)]).await.unwrap();
        let after = disk.volume("00000001.vol");
        // There may be more holes, but no more bytes.
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || *after == 0));
        assert_eq!(before.len(), after.len());
        // The page cache showed the second shard whole; the disk never had it.
        check_error(&store, shard(2), 100, StorageErrorKind::Missing).await;
        check(&store, shard(3), 100, 0).await;
    }
}
