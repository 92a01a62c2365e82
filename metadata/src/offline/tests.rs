//! Real members' directories, as left when their process was killed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cairn_core::id::ExtentId;
use cairn_core::testing::TestThreads;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{DeleteObject, Precondition};
use tempfile::TempDir;

use super::*;
use crate::service::tests::{bucket, commit, kill_image, prepare, start};
use crate::testing::TestClock;

fn open(dir: &Path, scratch: &Path) -> Result<OfflineReader, OfflineError> {
    OfflineReader::open(&[dir.to_owned()], scratch, TestClock::new(), &TestThreads)
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// I10: an acknowledged write that is not yet in the state is read all the same, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_member_is_read_as_it_would_start_and_stays_as_it_is() {
    let (dir, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let metadata = start(dir.path()).await;
    let session = prepare(&metadata).await;
    for n in 0..50 {
        metadata.run(commit(session, 10 * n, &format!("key{n:02}"))).await.unwrap();
    }
    let key = cairn_core::name::ObjectKey::new("key07").unwrap();
    metadata
        .run(DeleteObject {
            bucket: bucket(),
            key,
            precondition: Precondition::default(),
            version: None,
            revision: None,
        })
        .await
        .unwrap();
    assert!(matches!(open(dir.path(), scratch.path()), Err(OfflineError::InUse { .. })), "it runs");
    let image = kill_image(&metadata, dir.path());
    let before = files(image.path());

    let book = open(image.path(), scratch.path()).unwrap();
    let mut objects = Vec::new();
    book.objects(|object| objects.push(object)).unwrap();
    assert_eq!(objects.len(), 49);
    assert!(objects.iter().all(|o| o.bucket == "photos" && o.size == 100 && o.runs.len() == 1 && o.key != "key07"));
    let mut extents = Vec::new();
    book.extents(|extent| extents.push(extent)).unwrap();
    assert_eq!(extents.len(), 100, "two extents an object, those of the deleted one until they are reclaimed");
    assert!(extents.is_sorted_by_key(|extent| extent.id));
    let mut others = Vec::new();
    book.other_runs(|run| others.push(run.first)).unwrap();
    assert_eq!(others, [ExtentId::new(session, 70)]);
    let excused = book.excused().unwrap();
    assert_eq!((excused.open_sessions.contains(&session), excused.last_session), (true, session));
    assert!(book.source().is_majority());

    drop(book);
    assert_eq!(files(image.path()), before);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "the copies are gone");
}

#[test]
fn a_directory_without_a_member_is_refused() {
    let (empty, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    assert!(matches!(open(empty.path(), scratch.path()), Err(OfflineError::NoMember { .. })));
    assert!(matches!(
        OfflineReader::open(&[], scratch.path(), TestClock::new(), &TestThreads),
        Err(OfflineError::NoMember { .. })
    ));
}
