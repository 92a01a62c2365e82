//! Disks that appear, vanish, and are not what they should be (I18).

use cairn_core::testing::commit_at;
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageErrorKind};

use super::*;
use crate::disk_io::Operation;
use crate::service::StartError;

const ACTIVE: DiskState = DiskState::Active;
const UNAVAILABLE: DiskState = DiskState::Unavailable;

#[tokio::test]
async fn a_new_node_makes_its_disks_and_finds_them_again() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    metadata.is_up.store(false, Ordering::SeqCst);
    let node = start(directory.path(), 3, &metadata);
    let disks = wait_for(&node, &[UNAVAILABLE; 3]).await;
    assert!(!directory.path().join("disk1").exists(), "nothing is formatted before the cluster is known");
    metadata.is_up.store(true, Ordering::SeqCst);
    let active = wait_for(&node, &[ACTIVE; 3]).await;
    assert!(active.iter().all(|disk| disk.capacity_bytes > 0));
    for (n, disk) in (0..).zip(&disks) {
        put(&node, disk.disk, shard(1, n), 100_000).await;
    }
    let id = node.id();
    node.shutdown().await;

    let node = start(directory.path(), 3, &metadata);
    let again = wait_for(&node, &[ACTIVE; 3]).await;
    assert_eq!(node.id(), id);
    for (n, (disk, before)) in (0..).zip(again.iter().zip(&disks)) {
        assert_eq!((disk.disk, disk.shards), (before.disk, 1));
        check(&node, disk.disk, shard(1, n), 100_000).await;
    }
    let registered = wait(|| async { metadata.registered.lock().unwrap().get(1).cloned().ok_or(()) }).await;
    assert_eq!(registered.cluster, Some(metadata.cluster));
    assert!(registered.disks.iter().all(|disk| disk.state == ACTIVE), "known disks are open before the registration");
    node.shutdown().await;
}

#[tokio::test]
async fn a_missing_disk_is_never_formatted_and_serves_again_when_it_returns() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 3, &metadata);
    let disks = wait_for(&node, &[ACTIVE; 3]).await;
    put(&node, disks[2].disk, shard(1, 1), 1000).await;
    node.shutdown().await;
    drop(node);
    let (at, away) = (directory.path().join("disk3"), directory.path().join("away"));
    for empty in [false, true] {
        std::fs::rename(&at, &away).unwrap();
        if empty {
            std::fs::create_dir(&at).unwrap();
        }
        let node = start(directory.path(), 3, &metadata);
        let states = wait_for(&node, &[ACTIVE, ACTIVE, UNAVAILABLE]).await;
        assert_eq!(states[2].disk, disks[2].disk);
        for word in ["disk 3", &disks[2].disk.to_string(), "missing", "mount"] {
            assert!(states[2].reason.contains(word), "{}", states[2].reason);
        }
        put(&node, disks[0].disk, shard(1, 2), 1000).await;
        assert_eq!(
            std::fs::read_dir(&at).map_or(0, Iterator::count),
            0,
            "nothing is written under an empty mount point"
        );
        if empty {
            std::fs::remove_dir(&at).unwrap();
        }
        std::fs::rename(&away, &at).unwrap();
        wait_for(&node, &[ACTIVE; 3]).await;
        check(&node, disks[2].disk, shard(1, 1), 1000).await;
        node.shutdown().await;
    }
}

#[tokio::test]
async fn a_disk_that_vanishes_while_it_serves_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 2, &metadata);
    let disks = wait_for(&node, &[ACTIVE; 2]).await;
    put(&node, disks[1].disk, shard(1, 1), 1000).await;
    let (at, away) = (directory.path().join("disk2"), directory.path().join("away"));
    std::fs::rename(&at, &away).unwrap();
    wait_for(&node, &[ACTIVE, UNAVAILABLE]).await;
    let heard = || async {
        let heard = metadata.heard.lock().unwrap().clone();
        heard.filter(|status| status.disks[1].state == UNAVAILABLE).ok_or(())
    };
    assert_eq!(wait(heard).await.disks.len(), 2);
    std::fs::rename(&away, &at).unwrap();
    wait_for(&node, &[ACTIVE; 2]).await;
    check(&node, disks[1].disk, shard(1, 1), 1000).await;
    node.shutdown().await;
}

#[tokio::test]
async fn copied_swapped_and_foreign_disks_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 2, &metadata);
    let disks = wait_for(&node, &[ACTIVE; 2]).await;
    node.shutdown().await;
    drop(node);
    let path = |name: &str| directory.path().join(name);

    // A copy of disk 1 as disk 3.
    std::fs::create_dir(path("disk3")).unwrap();
    std::fs::create_dir(path("disk3/volumes")).unwrap();
    std::fs::copy(path("disk1/superblock"), path("disk3/superblock")).unwrap();
    let node = start(directory.path(), 3, &metadata);
    let states = wait_for(&node, &[ACTIVE, ACTIVE, UNAVAILABLE]).await;
    assert!(states[2].reason.contains("same disk") && states[2].reason.contains("disk1"), "{}", states[2].reason);
    put(&node, disks[0].disk, shard(1, 1), 10).await;
    node.shutdown().await;
    drop(node);
    let mut copy_first = options(directory.path(), 2);
    copy_first.disks.insert(0, path("disk3"));
    let node = StorageNodeService::start(copy_first, dependencies(&metadata)).unwrap();
    wait_for(&node, &[UNAVAILABLE, ACTIVE, ACTIVE]).await;
    node.shutdown().await;
    drop(node);

    // Another cluster's disk in the place of disk 2.
    let other = tempfile::tempdir().unwrap();
    let stranger = Arc::new(MemoryMetadata::new(2));
    let node = start(other.path(), 1, &stranger);
    wait_for(&node, &[ACTIVE]).await;
    node.shutdown().await;
    drop(node);
    std::fs::rename(path("disk2"), path("disk2-away")).unwrap();
    std::fs::rename(other.path().join("disk1"), path("disk2")).unwrap();
    let node = start(directory.path(), 2, &metadata);
    let states = wait_for(&node, &[ACTIVE, UNAVAILABLE]).await;
    assert!(states[1].reason.contains("belongs to cluster"), "{}", states[1].reason);
    assert_eq!(states[1].disk, disks[1].disk, "the cluster goes on missing the disk that was there");
    node.shutdown().await;
    drop(node);

    // Two disks that changed places.
    std::fs::remove_dir_all(path("disk2")).unwrap();
    std::fs::rename(path("disk1"), path("disk2")).unwrap();
    std::fs::rename(path("disk2-away"), path("disk1")).unwrap();
    let node = start(directory.path(), 2, &metadata);
    let states = wait_for(&node, &[UNAVAILABLE; 2]).await;
    assert!(states[0].reason.contains("should hold disk"), "{}", states[0].reason);
    node.shutdown().await;
}

#[tokio::test]
async fn a_node_that_lost_its_state_adopts_its_disks() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 2, &metadata);
    let disks = wait_for(&node, &[ACTIVE; 2]).await;
    put(&node, disks[1].disk, shard(1, 1), 1000).await;
    node.shutdown().await;
    drop(node);
    std::fs::remove_dir_all(directory.path().join("storage-node")).unwrap();
    let node = start(directory.path(), 2, &metadata);
    let again = wait_for(&node, &[ACTIVE; 2]).await;
    assert_eq!(again[1].disk, disks[1].disk);
    check(&node, disks[1].disk, shard(1, 1), 1000).await;
    node.shutdown().await;
}

#[tokio::test]
async fn options_without_disks_or_with_one_twice_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let start = |options| StorageNodeService::start(options, dependencies(&metadata)).map(|_| ());
    assert!(matches!(start(options(directory.path(), 0)), Err(StartError::NoDisks)));
    let mut twice = options(directory.path(), 1);
    twice.disks.push(twice.disks[0].clone());
    assert!(matches!(start(twice), Err(StartError::DuplicatePath(_))));
}

#[tokio::test]
async fn a_directory_that_held_something_foreign_is_looked_at_again() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let path = |name: &str| directory.path().join(name);
    let other = tempfile::tempdir().unwrap();
    for (cluster, name) in [(2, "foreign"), (1, "ours")] {
        let elsewhere = tempfile::tempdir().unwrap();
        let metadata = Arc::new(MemoryMetadata::new(cluster));
        let node = start(elsewhere.path(), 1, &metadata);
        let disk = wait_for(&node, &[ACTIVE]).await[0].disk;
        put(&node, disk, shard(1, 7), 1000).await;
        node.shutdown().await;
        drop(node);
        std::fs::rename(elsewhere.path().join("disk1"), other.path().join(name)).unwrap();
    }
    let node = start(directory.path(), 1, &metadata);
    wait_for(&node, &[ACTIVE]).await;
    node.shutdown().await;
    drop(node);
    std::fs::rename(other.path().join("foreign"), path("disk2")).unwrap();
    let node = start(directory.path(), 2, &metadata);
    let states = wait_for(&node, &[ACTIVE, UNAVAILABLE]).await;
    assert!(states[1].reason.contains("belongs to cluster"), "{}", states[1].reason);

    // The foreign disk is taken away. What is left may be a mount point, so nothing is written there.
    std::fs::remove_dir_all(path("disk2")).unwrap();
    std::fs::create_dir(path("disk2")).unwrap();
    wait(|| async {
        let reason = node.status().await.unwrap().disks[1].reason.clone();
        if reason.contains("holds no disk") { Ok(()) } else { Err(reason) }
    })
    .await;
    assert_eq!(std::fs::read_dir(path("disk2")).unwrap().count(), 0);

    // The right disk is put in its place: it serves and is registered without a restart.
    std::fs::remove_dir(path("disk2")).unwrap();
    std::fs::rename(other.path().join("ours"), path("disk2")).unwrap();
    let disk = wait_for(&node, &[ACTIVE, ACTIVE]).await[1].disk;
    check(&node, disk, shard(1, 7), 1000).await;
    wait(|| async {
        let registered = metadata.registered.lock().unwrap();
        let last: Vec<DiskId> = registered.last().unwrap().disks.iter().map(|disk| disk.id).collect();
        if last.len() == 2 && last[1] == disk { Ok(()) } else { Err(last) }
    })
    .await;
    node.shutdown().await;
}

#[tokio::test]
async fn further_directories_become_disks_while_the_node_serves() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let path = |n: usize| directory.path().join(format!("disk{n}"));
    let node = start(directory.path(), 2, &metadata);
    let disks = wait_for(&node, &[ACTIVE; 2]).await;
    put(&node, disks[0].disk, shard(1, 1), 1000).await;
    // A copy of a disk in service.
    assert!(std::process::Command::new("cp").arg("-a").args([path(1), path(4)]).status().unwrap().success());
    let all: Vec<_> = (1..=4).map(path).collect();
    assert_eq!(node.add_disks(&all).unwrap(), [path(3), path(4)]);
    assert_eq!(node.add_disks(&all).unwrap(), [] as [std::path::PathBuf; 0], "they are known");
    let four = wait_for(&node, &[ACTIVE, ACTIVE, ACTIVE, UNAVAILABLE]).await;
    assert!(four[3].reason.contains("same disk"), "{}", four[3].reason);
    put(&node, four[2].disk, shard(1, 2), 1000).await;
    check(&node, disks[0].disk, shard(1, 1), 1000).await;
    wait(|| async {
        let registered = metadata.registered.lock().unwrap().last().map_or(0, |last| last.disks.len());
        if registered == 3 { Ok(()) } else { Err(registered) }
    })
    .await;
    node.shutdown().await;

    let node = start(directory.path(), 3, &metadata);
    let again = wait_for(&node, &[ACTIVE; 3]).await;
    assert_eq!(again[2].disk, four[2].disk);
    check(&node, again[2].disk, shard(1, 2), 1000).await;
    std::fs::remove_dir_all(path(4)).unwrap();
    node.shutdown().await;
}

/// I24: a disk of which one operation does not come back refuses all others at once and says so, until it does.
#[tokio::test]
async fn a_disk_that_hangs_fails_fast_until_it_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let clock = clock();
    let dependencies = Dependencies { clock: Arc::clone(&clock) as _, ..dependencies(&metadata) };
    let node = StorageNodeService::start(options(directory.path(), 2), dependencies).unwrap();
    let disks = wait_for(&node, &[DiskState::Active; 2]).await;
    let (hanging, well) = (disks[0].disk, disks[1].disk);
    for disk in [hanging, well] {
        put(&node, disk, shard(1, 1), 100).await;
    }
    let latency = node.latency(hanging);
    let stuck = latency.time(Operation::Read);
    clock.advance(Duration::from_secs(30));
    let (header, cells) = content(shard(1, 2), 100);
    let proof = DeleteProof::Committed(commit_at(1 << 40));
    let order = DeleteOrder { proof, shards: vec![shard(1, 1)] };
    let geometry = header.geometry;
    let refusals = [
        node.put_shard(hanging, header, cells).await.unwrap_err(),
        node.read_cells(hanging, shard(1, 1), geometry, 0..1).await.unwrap_err(),
        node.delete_shards(hanging, order).await.unwrap_err(),
        node.inventory(hanging, None, 10).await.unwrap_err(),
    ];
    assert!(refusals.iter().all(|error| error.kind == StorageErrorKind::Hanging), "{refusals:?}");
    wait(|| node.inventory(well, None, 10)).await;
    let status = &node.status().await.unwrap().disks[0];
    assert!(status.state == DiskState::Suspect && status.reason.contains("hangs"), "{status:?}");
    assert!(status.refused_hanging >= 4, "{status:?}");
    drop(stuck);
    check(&node, hanging, shard(1, 1), 100).await;
    node.shutdown().await;
}
