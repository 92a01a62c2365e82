//! Disks are lost for good, or come back.
//!
//! Covers I7 (any two lost disks give the same bytes), I8 (three lost: an explicit error, nothing purged, readable when
//! they return) and I18 (a directory that is missing or empty is not taken for a new disk).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use cairn_cli::admin::DiskState;
use cairn_tests::{AllInOne, Dataset, eventually, seed};

const BUCKET: &str = "lost";
const DISKS: u32 = 6;

/// Where a disk's directory lies while it is away.
fn away(server: &AllInOne, disk: u32) -> PathBuf {
    server.workdir().join(format!("away-{disk}"))
}

fn take(server: &AllInOne, disk: u32) {
    std::fs::rename(server.disk(disk), away(server, disk)).unwrap();
}

/// Puts a disk back. Its place must be absent or an empty directory.
fn put_back(server: &AllInOne, disk: u32) {
    match std::fs::remove_dir(server.disk(disk)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        result => result.expect("the place of a missing disk holds nothing"),
    }
    std::fs::rename(away(server, disk), server.disk(disk)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_two_disks_may_be_lost() {
    let mut server = AllInOne::start().await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    data.assert_reads(&server.account(), "with all disks").await;
    for first in 1..DISKS {
        for second in first + 1..=DISKS {
            server.stop().await;
            take(&server, first);
            take(&server, second);
            server.start_again().await;
            data.assert_reads(&server.account(), &format!("without disks {first} and {second}")).await;
            for disk in [first, second] {
                let entry = server.disk_entry(disk).await;
                assert_eq!(entry.state, DiskState::Unavailable, "{entry:?}");
                let reason = entry.reason.unwrap_or_default();
                assert!(reason.contains(server.disk(disk).to_str().unwrap()), "the reason names the disk: {reason:?}");
            }
            server.stop().await;
            put_back(&server, first);
            put_back(&server, second);
            server.start_again().await;
        }
    }
    data.assert_reads(&server.account(), "with all disks back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_directory_is_not_a_new_disk() {
    let mut server = AllInOne::start().await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    server.stop().await;
    for disk in [2, 5] {
        take(&server, disk);
        std::fs::create_dir(server.disk(disk)).unwrap();
    }
    server.start_again().await;
    data.assert_reads(&server.account(), "with two empty directories").await;
    server.client().put(BUCKET, "new", bytes::Bytes::from(vec![1; 1 << 20])).await.expect("four disks take writes");
    for disk in [2, 5] {
        assert_eq!(server.disk_entry(disk).await.state, DiskState::Unavailable);
        let inside: Vec<_> = std::fs::read_dir(server.disk(disk)).unwrap().collect();
        assert!(inside.is_empty(), "nothing is written under an empty mount point: {inside:?}");
    }
}

/// Takes three disks, checks that reads fail loudly and that nothing is purged, and gives one back.
async fn three_lost(server: &mut AllInOne, data: &Dataset, restart: bool) {
    server.stop().await;
    for disk in [1, 3, 6] {
        take(server, disk);
    }
    server.start_again().await;
    let mut client = server.client();
    let mut failures = 0;
    for object in client.list_all(BUCKET, "").await.expect("listings need no disk") {
        let read = match client.get(BUCKET, &object.key).await {
            Ok(body) => body.collect().await,
            Err(error) => Err(error),
        };
        match read {
            Ok(bytes) => assert_eq!(bytes.len() as u64, object.size, "{} is short", object.key),
            Err(error) => {
                let status = error.status().map(|status| status.as_u16());
                assert!(status >= Some(500), "{}: an explicit error, not {error}", object.key);
                failures += 1;
            }
        }
    }
    assert!(failures > 0, "with three of six disks gone, large objects cannot be read");
    let listed = client.list_all(BUCKET, "").await.unwrap().len();
    assert_eq!(listed, data.ledger().iter().count(), "nothing is purged");

    if restart {
        server.stop().await;
    }
    put_back(server, 3);
    if restart {
        server.start_again().await;
    } else {
        eventually("the disk is back in service", Duration::from_mins(1), async || {
            let entry = server.disk_entry(3).await;
            if entry.state == DiskState::Active { Ok(()) } else { Err(format!("{entry:?}")) }
        })
        .await;
    }
    data.assert_reads(&server.account(), "with four of six disks").await;
    server.stop().await;
    put_back(server, 1);
    put_back(server, 6);
    server.start_again().await;
    data.assert_reads(&server.account(), "with all disks back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_lost_disks_are_an_error_until_one_returns() {
    let mut server = AllInOne::start().await;
    let data = Dataset::store(&server.account(), BUCKET, seed()).await;
    three_lost(&mut server, &data, true).await;
    three_lost(&mut server, &data, false).await;
    cairn_tests::ledger_check::assert_shards(server.admin(), data.shards()..=data.shards()).await;
}
