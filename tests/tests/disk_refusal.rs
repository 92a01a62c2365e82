//! Disks that must not be used are refused, by name, and the others serve.
//!
//! Covers I18 (foreign, cloned and damaged disks), I9 as far as these are distinguished, and I30 (a newer format is refused,
//! never taken for empty).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use cairn_cli::admin::DiskState;
use cairn_tests::{AllInOne, Dataset, Tuning, seed, wait_until};

const BUCKET: &str = "refused";
/// The file that holds the disk's identity. Its layout is in docs/on-disk-format.md.
const SUPERBLOCK: &str = "superblock";
/// Where the format version stands, and where the BLAKE3 of everything before it.
const VERSION_AT: usize = 8;
const CHECKSUM_AT: usize = 480;

fn copy_tree(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status().expect("cp");
    assert!(done.success(), "cp -a {} {}", from.display(), to.display());
}

/// Runs `damage` on the directory of disk 4 of a stopped server, starts it, and checks that the disk is out of service
/// for a reason that contains each of `words`, that its files are untouched, and that the other five serve.
async fn check(damage: impl FnOnce(PathBuf), words: &[&str]) {
    let mut server = AllInOne::start().await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    server.stop().await;
    damage(server.disk(4));
    let before = std::fs::read(server.disk(4).join(SUPERBLOCK)).unwrap();
    server.start_again().await;
    let entry = server.disk_entry(4).await;
    assert_eq!(entry.state, DiskState::Unavailable, "{entry:?}");
    let reason = entry.reason.clone().unwrap_or_default();
    let path = server.disk(4);
    for word in words.iter().copied().chain([path.to_str().unwrap()]) {
        assert!(reason.contains(word), "the reason lacks {word:?}: {reason}");
    }
    wait_until("the log names the disk and the reason", Duration::from_secs(10), async || {
        server.process().log_text().contains(&reason)
    })
    .await;
    data.assert_reads(&server.account(), "with a refused disk").await;
    let mut client = server.client();
    client.put(BUCKET, "new", Bytes::from(vec![7; 1 << 20])).await.expect("the other disks take writes");
    client.delete(BUCKET, "new").await.unwrap();
    assert_eq!(std::fs::read(path.join(SUPERBLOCK)).unwrap(), before, "a refused disk is left as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_superblock_is_refused() {
    let damage = |disk: PathBuf| {
        let path = disk.join(SUPERBLOCK);
        let mut block = std::fs::read(&path).unwrap();
        block[40] ^= 0x10;
        std::fs::write(&path, block).unwrap();
    };
    check(damage, &["damaged"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_format_is_refused() {
    let damage = |disk: PathBuf| {
        let path = disk.join(SUPERBLOCK);
        let mut block = std::fs::read(&path).unwrap();
        block[VERSION_AT..VERSION_AT + 2].copy_from_slice(&999u16.to_le_bytes());
        let checksum = blake3::hash(&block[..CHECKSUM_AT]);
        block[CHECKSUM_AT..CHECKSUM_AT + 32].copy_from_slice(checksum.as_bytes());
        std::fs::write(&path, block).unwrap();
    };
    check(damage, &["999"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_of_another_cluster_is_refused() {
    let mut other = AllInOne::start_with(Tuning { disks: 1, ..Tuning::default() }).await;
    let cluster = other.admin().cluster().await.unwrap().cluster_id;
    other.stop().await;
    let damage = |disk: PathBuf| {
        std::fs::rename(&disk, disk.with_extension("ours")).unwrap();
        copy_tree(&other.disk(1), &disk);
    };
    check(damage, &["cluster", &cluster]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_of_another_disk_is_refused() {
    let damage = |disk: PathBuf| {
        std::fs::rename(&disk, disk.with_extension("ours")).unwrap();
        copy_tree(&disk.with_file_name("disk5"), &disk);
    };
    check(damage, &["holds disk", "mount"]).await;
}
