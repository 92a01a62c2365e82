//! Directories that open, and directories that are refused.

use std::path::Path;

use cairn_core::testing::TestThreads;

use super::identity::{Identity, write_identity};
use super::*;
use crate::options::Options;
use crate::testing::TestClock;
use cairn_core::id::Incarnation;
use cairn_core::id::MemberId;
use cairn_core::id::{ClusterId, GroupId};
use tempfile::TempDir;

pub(super) fn open(dir: &Path, known_cluster: Option<ClusterId>) -> Result<Directory, StartError> {
    let options = Options { known_cluster, cache_bytes: 1 << 20, ..Options::new(dir) };
    Directory::open(&options, TestClock::new(), &TestThreads, Incarnation::from_bytes([5; 16]))
}

/// Waits until the log's thread has closed its file.
pub(super) fn close(directory: Directory) {
    let open = directory.log.open_token();
    drop(directory);
    while open.strong_count() > 0 {
        std::thread::yield_now();
    }
}

pub(super) fn formed() -> (TempDir, ClusterId) {
    let (dir, cluster) = (TempDir::new().unwrap(), ClusterId::from_random([4; 16]));
    let mut directory = open(dir.path(), None).unwrap();
    directory.set_formed(cluster).unwrap();
    close(directory);
    (dir, cluster)
}

#[test]
fn a_formed_directory_opens_again_and_a_half_made_one_is_completed() {
    let (dir, cluster) = formed();
    close(open(dir.path(), Some(cluster)).unwrap());
    let fresh = TempDir::new().unwrap();
    close(open(fresh.path(), None).unwrap());
    std::fs::remove_file(fresh.path().join("state.redb")).unwrap();
    close(open(fresh.path(), None).unwrap());
    // Power failed while the file was being created.
    std::fs::write(fresh.path().join("log.redb"), vec![0; 4096]).unwrap();
    close(open(fresh.path(), None).unwrap());
    let (formed, _) = formed();
    std::fs::write(formed.path().join("log.redb"), vec![0; 4096]).unwrap();
    assert!(matches!(open(formed.path(), None), Err(StartError::Damaged { .. })), "it held promises once");
}

/// Writes a row past all checks.
fn put(file: &Path, table: &str, key: &str, value: &[u8]) {
    let database = redb::Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    let definition = redb::TableDefinition::<&str, &[u8]>::new(table);
    transaction.open_table(definition).unwrap().insert(key, value).unwrap();
    transaction.commit().unwrap();
}

/// I3: entries after a hole must never be applied.
#[test]
fn a_log_with_a_hole_is_refused() {
    let rows: redb::TableDefinition<'static, u64, &'static [u8]> = redb::TableDefinition::new("log");
    for removed in [0, 1] {
        let (dir, _) = formed();
        let path = dir.path().join("log.redb");
        {
            let database = redb::Database::open(&path).unwrap();
            let transaction = database.begin_write().unwrap();
            for index in (0..3u64).filter(|index| *index != removed) {
                // A blank entry: its log id and an empty payload.
                let row = [0x82, 0x83, 0x01, 0x01, index as u8, 0x82, 0x00, 0x80];
                transaction.open_table(rows).unwrap().insert(index, row.as_slice()).unwrap();
            }
            transaction.commit().unwrap();
        }
        let refused = open(dir.path(), None).err().unwrap().to_string();
        assert!(refused.contains("entries are missing"), "{refused}");
    }
}

/// I15, I18, I30: each is refused with its own message, and nothing is created.
#[test]
fn an_incomplete_directory_is_refused() {
    let (_, other) = formed();
    let empty = TempDir::new().unwrap();
    assert!(matches!(open(empty.path(), Some(other)), Err(StartError::Lost { .. })));
    assert!(std::fs::read_dir(empty.path()).unwrap().next().is_none());
    for (file, known) in [("log.redb", None), ("state.redb", None), ("identity", None)] {
        let (dir, _) = formed();
        std::fs::remove_file(dir.path().join(file)).unwrap();
        assert!(matches!(open(dir.path(), known), Err(StartError::Incomplete { .. })), "{file}");
        assert!(!dir.path().join(file).exists());
    }
    for file in ["log.redb", "state.redb", "identity"] {
        let (dir, _) = formed();
        std::fs::write(dir.path().join(file), b"rubbish").unwrap();
        let refused = open(dir.path(), None).err();
        assert!(matches!(refused, Some(StartError::Damaged { .. } | StartError::Unreadable { .. })), "{file}");
        assert_eq!(std::fs::read(dir.path().join(file)).unwrap(), b"rubbish");
    }
    for (file, table, what, format) in [
        ("log.redb", "state", "the log", 2),
        ("state.redb", "meta", "the state", 7),
        ("state.redb", "meta", "the state", 5),
    ] {
        let (dir, _) = formed();
        put(&dir.path().join(file), table, "format", &[format]);
        let refused = open(dir.path(), None).err().unwrap().to_string();
        assert!(refused.contains(what) && refused.contains(&format!("version {format}")), "{refused}");
    }
    let (dir, _) = formed();
    let other = Options { member_id: MemberId(2), ..Options::new(dir.path()) };
    let refused =
        Directory::open(&other, TestClock::new(), &TestThreads, Incarnation::from_bytes([5; 16])).err().unwrap();
    assert!(refused.to_string().contains("belongs to member 1, not to member 2"), "{refused}");
    let (dir, _) = formed();
    let foreign = Some(ClusterId::from_random([5; 16]));
    assert!(matches!(open(dir.path(), foreign), Err(StartError::Foreign { .. })));
    let newer = Identity { format: 2, member: MemberId(1), cluster: None, incarnation: None, group: GroupId::FIRST };
    write_identity(dir.path(), &newer).unwrap();
    assert!(matches!(open(dir.path(), None), Err(StartError::Newer { found: 2, .. })));
}
