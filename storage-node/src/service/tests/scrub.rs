//! Findings of the scrub reach the metadata service, whenever it answers (I14).

use std::os::unix::fs::FileExt;

use cairn_protocol::metadata::command::{ShardReport, ShardReportKind};
use cairn_protocol::storage::ScrubStatus;

use super::*;
use crate::inspect::{InspectOptions, inspect};

async fn scrub_of(node: &Handle) -> Result<ScrubStatus, ()> {
    node.status().await.unwrap().disks[0].scrub.clone().ok_or(())
}

#[tokio::test]
async fn findings_wait_for_the_metadata_service_and_are_reported_once() {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let node = start(directory.path(), 1, &metadata);
    let disk = wait_for(&node, &[DiskState::Active]).await[0].disk;
    for n in 0..20 {
        put(&node, disk, shard(1, n), 50_000).await;
    }
    let path = directory.path().join("disk1");
    let seen = inspect(&path, InspectOptions { in_use: true, verify: true }).unwrap();
    assert_eq!((seen.shards.len(), seen.problems.len()), (20, 0));
    let bad = seen.shards.iter().find(|report| report.shard == shard(1, 13)).unwrap();
    let volume = path.join(format!("volumes/{:08}.vol", bad.volume));
    let file = std::fs::File::options().write(true).open(volume).unwrap();
    file.write_all_at(b"rot", bad.offset + bad.head_bytes + 40_000).unwrap();

    metadata.is_up.store(false, Ordering::SeqCst);
    node.start_scrub(disk).await.unwrap();
    let status = wait(|| async { scrub_of(&node).await.and_then(|s| if s.unreported > 0 { Ok(s) } else { Err(()) }) });
    assert_eq!(status.await.newest[0].shard, shard(1, 13));
    // A restart does not lose it.
    node.shutdown().await;
    drop(node);
    metadata.is_up.store(true, Ordering::SeqCst);
    let node = start(directory.path(), 1, &metadata);
    wait(|| async {
        let status = scrub_of(&node).await?;
        if status.last.is_some() && status.unreported == 0 { Ok(()) } else { Err(()) }
    })
    .await;
    let report =
        ShardReport { extent: shard(1, 13).extent, index: 1, disk: DiskNumber(1), kind: ShardReportKind::Corrupt };
    assert_eq!(*metadata.faults.lock().unwrap(), [report]);
    let heard = metadata.heard.lock().unwrap().clone().unwrap();
    assert!(heard.disks[0].scrub.is_some(), "heartbeats say how far the scrub is");
    node.shutdown().await;
}
