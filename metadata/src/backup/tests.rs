//! Backups of a running member, members restored from them, and recovery from one remaining member.

use std::path::Path;

use cairn_core::id::MemberId;
use cairn_core::id::{DiskId, ExtentId, NodeId};
use cairn_core::name::BucketName;
use cairn_core::release::Release;
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::{CreateBucket, OpenSession};
use cairn_protocol::metadata::query::{ClassifyShards, GetBucketSettings, GetMembers};
use cairn_protocol::metadata::{Metadata, MetadataExt, OperatedMetadata, OperatorRequest, Signal};
use cairn_protocol::storage::StorageDirectory;
use tempfile::TempDir;

use super::*;
use crate::service::tests::{bucket, commit, get, kill_image, options, prepare, rpc, start, start_with};
use crate::testing::{TestClock, TestRandom};
use crate::{Handle, Options};
use cairn_core::testing::TestThreads;

async fn backup(handle: &Handle) -> Vec<u8> {
    let mut reader = handle.backup().await.unwrap();
    let mut file = Vec::new();
    while let Some(piece) = reader.next_piece().unwrap() {
        file.extend(piece);
    }
    file
}

fn restore_to(file: &[u8], dir: &Path) -> Result<BackupSummary, BackupError> {
    restore(file, &RestoreOptions { dir: dir.to_owned(), member: MemberId(1), addr: String::new() }, &TestRandom)
}

/// I15, I16: backed-up objects are restored, and nothing written after the backup is taken for garbage.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_member_holds_the_backup_and_deletes_nothing_yet() {
    let dir = TempDir::new().unwrap();
    let original = start(dir.path()).await;
    let session = prepare(&original).await;
    for n in 0..50 {
        original.run(commit(session, 10 * n, &format!("key{n}"))).await.unwrap();
    }
    let file = backup(&original).await;
    let later = original.run(commit(session, 1000, "later")).await.unwrap();
    let cluster = original.machine().map().unwrap().cluster;

    let summary = verify(file.as_slice()).unwrap();
    assert_eq!((summary.cluster, summary.objects), (cluster, 50));
    assert!(summary.commit < later.sequence);
    let place = TempDir::new().unwrap();
    let restored_dir = place.path().join("metadata");
    assert_eq!(restore_to(&file, &restored_dir).unwrap(), summary);
    assert!(matches!(restore_to(&file, &restored_dir), Err(BackupError::NotEmpty(_))));

    let known_cluster = Some(cluster);
    let options = Options { known_cluster, ..options(&restored_dir) };
    let restored = start_with(options, StorageDirectory::new(rpc("a secret"))).await;
    for n in 0..50 {
        assert_eq!(restored.ask(get(&format!("key{n}"))).await.unwrap().version.size, 100);
    }
    assert!(restored.ask(get("later")).await.is_err());
    assert!(restored.commit() > later.sequence, "numbers of the life before are never used again");
    assert!(!restored.signal(Signal::RenewSession(session)).await.unwrap().session_valid);
    let gateway = NodeId::from_random([1; 16]);
    let next = restored.run(OpenSession { gateway, release: Release::current(), name: None }).await.unwrap();
    assert!(next.0 > session.0 + 1000, "{next}");

    let disk = DiskId::from_random([1; 16]);
    let shards = vec![ShardId { extent: ExtentId::new(session, 1000), index: 0 }];
    let question = ClassifyShards { disk, shards };
    assert_eq!(restored.ask(question.clone()).await.unwrap(), [false], "it was committed after the backup");
    assert!(restored.ask(GetMembers {}).await.unwrap().restored.is_some());
    restored.operate(OperatorRequest::EndRestoreHold).await.unwrap();
    assert_eq!(restored.ask(question).await.unwrap(), [true]);
    assert!(restored.ask(GetMembers {}).await.unwrap().restored.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_restores_nothing() {
    let dir = TempDir::new().unwrap();
    let original = start(dir.path()).await;
    prepare(&original).await;
    let mut file = backup(&original).await;
    let middle = file.len() / 2;
    file[middle] ^= 1;
    assert!(matches!(verify(file.as_slice()), Err(BackupError::Damaged { .. })));
    let place = TempDir::new().unwrap();
    assert!(restore_to(&file, place.path()).is_err());
    assert!(!place.path().join("identity").exists(), "nothing counts without an identity");
    assert!(matches!(verify(&b"something else entirely"[..]), Err(BackupError::NotABackup)));
}

/// One of three members continues alone, with everything in its log, and the others are refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_remaining_member_continues_alone() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("metadata");
    std::fs::create_dir(&dir).unwrap();
    let member = start(&dir).await;
    let session = prepare(&member).await;
    for n in 0..30 {
        member.run(commit(session, 10 * n, &format!("key{n}"))).await.unwrap();
    }
    let commit_before = member.commit();
    // The state is behind the log, as after a crash.
    let image = kill_image(&member, &dir);
    member.shutdown().await;
    let left = image.path().join("metadata");
    std::fs::create_dir(&left).unwrap();
    for file in ["identity", "log.redb", "state.redb"] {
        std::fs::rename(image.path().join(file), left.join(file)).unwrap();
    }
    let options = RecoverOptions { dir: left.clone(), member: MemberId(1), addr: String::new() };
    let summary = recover(&options, TestClock::new(), &TestThreads, &TestRandom).unwrap();
    assert_eq!(summary.objects, 30);
    assert!(image.path().join("metadata-before-recovery/log.redb").exists());
    assert!(recover(&options, TestClock::new(), &TestThreads, &TestRandom).is_err(), "what is kept is not overwritten");

    let alone = start(&left).await;
    assert_eq!(alone.ask(get("key29")).await.unwrap().version.size, 100);
    assert!(alone.commit() > commit_before);
    assert!(alone.ask(GetMembers {}).await.unwrap().restored.is_some());
    let more = BucketName::new("more").unwrap();
    alone.run(CreateBucket { name: more.clone(), region: String::new() }).await.unwrap();
    let record = async |bucket| alone.ask(GetBucketSettings { bucket, known: None }).await.unwrap().unwrap().record;
    let (old, new) = (record(bucket()).await, record(more).await);
    assert!(new.id.0 > old.id.0 + 1000, "the lost members may have given out some");
}
