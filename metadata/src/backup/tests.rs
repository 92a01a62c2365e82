//! Backups of a running member, what they are restored to, and what is recovered from a member that is left.

use std::path::Path;

use cairn_core::id::{DiskId, ExtentId, NodeId};
use cairn_core::name::BucketName;
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::{CreateBucket, OpenSession};
use cairn_protocol::metadata::query::{ClassifyShards, GetBucket, GetMembers};
use cairn_protocol::metadata::{Metadata, MetadataExt, Signal};
use cairn_protocol::storage::StorageDirectory;
use tempfile::TempDir;

use super::*;
use crate::service::tests::{bucket, commit, get, kill_image, options, prepare, rpc, start, start_with};
use crate::testing::{TestClock, TestRandom};
use crate::{Handle, Options};

async fn backup(handle: &Handle) -> Vec<u8> {
    let mut reader = handle.backup().await.unwrap();
    let mut file = Vec::new();
    while let Some(piece) = reader.next_piece().unwrap() {
        file.extend(piece);
    }
    file
}

fn restore_to(file: &[u8], dir: &Path) -> Result<BackupSummary, BackupError> {
    restore(file, &RestoreOptions { dir: dir.to_owned(), member: 1, addr: String::new() }, &TestRandom)
}

/// I15, I16: what was backed up is there again, and nothing that was written after it is taken for garbage.
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
    let cluster = original.inner.machine.map().unwrap().cluster;

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
    let next = restored.run(OpenSession { gateway }).await.unwrap();
    assert!(next.0 > session.0 + 1000, "{next}");

    let disk = DiskId::from_random([1; 16]);
    let shards = vec![ShardId { extent: ExtentId::new(session, 1000), index: 0 }];
    let question = ClassifyShards { disk, shards };
    assert_eq!(restored.ask(question.clone()).await.unwrap(), [false], "it was committed after the backup");
    assert!(restored.ask(GetMembers {}).await.unwrap().restored.is_some());
    restored.signal(Signal::EndRestoreHold).await.unwrap();
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

/// What is left of three members goes on alone, with everything that is in its log, and the others are refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_left_goes_on_alone() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("metadata");
    std::fs::create_dir(&dir).unwrap();
    let member = start(&dir).await;
    let session = prepare(&member).await;
    for n in 0..30 {
        member.run(commit(session, 10 * n, &format!("key{n}"))).await.unwrap();
    }
    let commit_before = member.commit();
    // The state lags behind the log, as after a crash.
    let image = kill_image(&member, &dir);
    member.shutdown().await;
    let left = image.path().join("metadata");
    std::fs::create_dir(&left).unwrap();
    for file in ["identity", "log.redb", "state.redb"] {
        std::fs::rename(image.path().join(file), left.join(file)).unwrap();
    }
    let options = RecoverOptions { dir: left.clone(), member: 1, addr: String::new() };
    let summary = recover(&options, TestClock::new(), &TestRandom).unwrap();
    assert_eq!(summary.objects, 30);
    assert!(image.path().join("metadata-before-recovery/log.redb").exists());
    assert!(recover(&options, TestClock::new(), &TestRandom).is_err(), "what is kept is not overwritten");

    let alone = start(&left).await;
    assert_eq!(alone.ask(get("key29")).await.unwrap().version.size, 100);
    assert!(alone.commit() > commit_before);
    assert!(alone.ask(GetMembers {}).await.unwrap().restored.is_some());
    let more = BucketName::new("more").unwrap();
    alone.run(CreateBucket { name: more.clone(), region: String::new() }).await.unwrap();
    let (old, new) = (alone.ask(GetBucket { name: bucket() }), alone.ask(GetBucket { name: more }));
    let (old, new) = tokio::join!(old, new);
    assert!(new.unwrap().id.0 > old.unwrap().id.0 + 1000, "the lost members may have given out some");
}

/// What a backup, its verification, its restoration and the verification of the file cost with many keys:
/// `CAIRN_KEYS=1000000 cargo test -p cairn-metadata -- --ignored --nocapture what_many_keys_cost`.
#[test]
#[ignore = "a measurement"]
fn what_many_keys_cost() {
    use crate::backup::format::{End, FrameWriter, Head, Kind};
    use crate::raft::snapshot::{Loader, Position, chunk};
    use crate::tables::{Row, Tables, View, extents::ExtentRow, versions};
    use std::io::Write;
    const PER_TRANSACTION: u64 = 50_000;
    let keys: u64 = std::env::var("CAIRN_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(1_000_000);
    let dir = TempDir::new().unwrap();
    let (state, copy, file) = (dir.path().join("state.redb"), dir.path().join("copy.redb"), dir.path().join("backup"));
    let database = Loader::create(&state, 64 << 20).unwrap().finish().unwrap();
    for first in (0..keys).step_by(PER_TRANSACTION as usize) {
        let mut transaction = database.begin_write().unwrap();
        transaction.set_durability(redb::Durability::None).unwrap();
        let mut tables = Tables::open(&transaction).unwrap();
        for n in first..(first + PER_TRANSACTION).min(keys) {
            let mut body =
                crate::service::tests::commit(cairn_core::id::SessionId(1 + n / 100_000), n, "key").body.unwrap();
            let placed = body.extents.remove(0);
            let row = versions::VersionRow {
                size: body.run.size,
                etag: cairn_core::etag::ETag::single([n as u8; 16]),
                last_modified_ms: 1_790_000_000_000 + n,
                content: cairn_protocol::metadata::content::Content::Run(body.run),
                headers: Vec::new(),
                checksum: None,
                parts: None,
            };
            let key = format!("2026/{:04}/photo-{n:010}.jpg", n / 10_000);
            tables.versions.insert((1, key.as_bytes(), !n), row.to_bytes().as_slice()).unwrap();
            for disk in 1..=6u32 {
                tables.disk_extents.insert((disk, body.run.first.to_bytes()), ()).unwrap();
            }
            let mut row = ExtentRow::from(placed);
            row.locations = (1..=6).map(|disk| Some(cairn_core::id::DiskNumber(disk))).collect();
            tables.extents.insert(body.run.first.to_bytes(), row.to_bytes().as_slice()).unwrap();
        }
        drop(tables);
        transaction.commit().unwrap();
    }
    let mut transaction = database.begin_write().unwrap();
    transaction.set_quick_repair(true);
    transaction.commit().unwrap();
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let began = std::time::Instant::now();
        work();
        println!("{what}: {:?}", began.elapsed());
    };
    let view = View::new(&database).unwrap();
    timed("backup into a file, synced", &mut || {
        let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(&file).unwrap());
        let (start, mut writer) = FrameWriter::begin();
        out.write_all(&start).unwrap();
        let applied = openraft::LogId::new(openraft::CommittedLeaderId::new(3, 1), 258).into();
        let (cluster, commit) = (cairn_core::id::ClusterId::from_bytes([7; 16]), CommitSequence(9));
        let head = Head { cluster, applied, commit, written_ms: 0, state_format: 1, objects: keys };
        out.write_all(&writer.frame(Kind::Head, &minicbor::to_vec(head).unwrap())).unwrap();
        let (mut position, mut frames) = (Some(Position::default()), 0);
        while let Some(from) = position {
            let (records, next) = chunk(&view, from).unwrap();
            out.write_all(&writer.frame(Kind::Records, &records)).unwrap();
            (position, frames) = (next, frames + 1);
        }
        out.write_all(&writer.frame(Kind::End, &minicbor::to_vec(End { frames }).unwrap())).unwrap();
        out.into_inner().unwrap().sync_all().unwrap();
    });
    let open = || std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(&file).unwrap());
    timed("verification of the backup", &mut || drop(verify(open()).unwrap()));
    timed("restoration", &mut || {
        let mut reader = FrameReader::begin(open()).unwrap();
        reader.head().unwrap();
        let loader = Loader::create(&copy, 256 << 20).unwrap();
        reader.records(|records| Ok(loader.load(records)?)).unwrap();
        drop(loader.finish().unwrap());
    });
    drop((view, database));
    timed("verification of the file at start", &mut || crate::integrity::verify(&state, 64 << 20).unwrap());
    let bytes = |path: &Path| std::fs::metadata(path).unwrap().len();
    println!("{keys} keys, {} bytes of state and {} of backup a key", bytes(&state) / keys, bytes(&file) / keys);
}
