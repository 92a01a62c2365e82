//! Wrong, foreign, unmounted and newer disks (I18, I30).

use super::*;
use crate::format::{BlockKind, VOLUME_DATA_START};

fn refused(io: &(impl DiskIo + Clone), expected: (ClusterId, DiskId), words: &[&str]) -> OpenError {
    let (cluster, disk) = expected;
    let expected = ExpectedDisk { io: Arc::new(io.clone()), path: PATH.to_owned(), cluster, disk };
    let opened = DiskStore::open(expected, options(), &dependencies());
    let Err(error) = opened else { panic!("the disk was opened") };
    let message = error.to_string();
    assert!(message.contains(PATH), "{message}");
    for word in words {
        assert!(message.contains(word), "{message}");
    }
    error
}

fn own() -> (ClusterId, DiskId) {
    (identity().cluster, identity().disk)
}

#[test]
fn an_empty_directory_is_not_a_disk() {
    let error = refused(&SimulatedDisk::default(), own(), &["mount"]);
    assert!(matches!(error, OpenError::NotADisk { .. }));
}

#[test]
fn other_disks_and_clusters_are_refused() {
    let disk = formatted();
    let other = ClusterId::from_random([9; 16]);
    assert!(matches!(refused(&disk, (other, own().1), &["cluster"]), OpenError::OtherCluster { .. }));
    let other = DiskId::from_random([9; 16]);
    assert!(matches!(refused(&disk, (own().0, other), &["mount"]), OpenError::OtherDisk { .. }));
}

#[test]
fn a_newer_or_damaged_superblock_is_refused() {
    let disk = formatted();
    let mut block = IdentityBlock { identity: identity(), created_ms: 1 }.encode(BlockKind::Superblock);
    block[8] = 9;
    disk.replace_file("superblock", &block).unwrap();
    refused(&disk, own(), &["damaged", "replace"]);
    let checksum = blake3::hash(&block[..480]);
    block[480..].copy_from_slice(checksum.as_bytes());
    disk.replace_file("superblock", &block).unwrap();
    refused(&disk, own(), &["version is 9", "release"]);
}

#[tokio::test]
async fn a_volume_under_another_name_is_refused() {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(1), 10, 0).await.unwrap();
    store.close();
    drop(store);
    disk.rename("00000001.vol", "00000002.vol");
    let error = refused(&disk, own(), &["00000002.vol", "volume 1"]);
    assert!(matches!(error, OpenError::ForeignVolume { .. }));
    disk.rename("00000002.vol", "00000001.vol");
    check(&open(&disk), shard(1), 10, 0).await;
}

#[tokio::test]
async fn a_volume_with_a_damaged_header_still_serves() {
    let disk = formatted();
    let store = open(&disk);
    put(&store, shard(1), 10, 0).await.unwrap();
    store.close();
    drop(store);
    disk.tamper("00000001.vol", |bytes| bytes[..VOLUME_DATA_START as usize].fill(0xff));
    disk.remove_index().unwrap();
    check(&open(&disk), shard(1), 10, 0).await;
}

#[tokio::test]
async fn a_disk_is_not_formatted_twice_nor_opened_twice() {
    let directory = tempfile::tempdir().unwrap();
    let disk = crate::disk_io::RealDisk::new(&directory.path().join(PATH));
    format(&disk);
    let again = super::super::format(&disk, PATH, &IdentityBlock { identity: identity(), created_ms: 2 });
    assert!(matches!(again, Err(OpenError::NotEmpty { .. })));
    let store = open(&disk);
    assert!(matches!(refused(&disk, own(), &["in use"]), OpenError::InUse { .. }));
    store.close();
    drop(store);
    open(&disk).close();
}
