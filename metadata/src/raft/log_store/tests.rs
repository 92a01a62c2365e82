//! What the log gives to replication, and what it knows of its size.

use std::sync::Arc;

use cairn_core::id::{MemberId, SessionId};
use cairn_core::testing::TestThreads;
use cairn_protocol::metadata::command::EndSession;
use openraft::storage::{RaftLogStorage, RaftLogStorageExt};
use openraft::{CommittedLeaderId, EntryPayload, RaftLogReader};
use tempfile::TempDir;

use super::*;
use crate::raft::message::MESSAGE_BYTES_MAX;
use crate::raft::proposal::{Change, Proposal};

fn log_id(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(1, MemberId(1)), index)
}

/// An entry of about `bytes`.
fn entry(index: u64, bytes: usize) -> Entry {
    let end = EndSession { session: SessionId(u64::MAX) };
    let one = crate::state::stored::StoredCommand::from(cairn_protocol::metadata::Command::from(end));
    let change = Change::Batch(vec![one.clone(); bytes / one.encoded_bytes()], None);
    Entry { log_id: log_id(index), payload: EntryPayload::Normal(Arc::new(Proposal { proposed_at_ms: 0, change })) }
}

fn encoded(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| encoded_bytes(&EntryRow::from(entry))).sum()
}

fn open(dir: &TempDir) -> LogStore {
    LogStore::open(&dir.path().join("log.redb"), true, &TestThreads, &crate::space::testing::roomy()).unwrap()
}

/// What one read for replication returns goes into one message, whether it comes from the file or from memory.
#[tokio::test]
async fn a_read_for_replication_fits_into_a_message() {
    const MIB: usize = 1 << 20;
    const { assert!(READ_BYTES_MAX < MESSAGE_BYTES_MAX) };
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let entries: Vec<Entry> = (1..=40).map(|index| entry(index, MIB)).collect();
    log.blocking_append(entries.clone()).await.unwrap();
    for start in [1, 5, 9, 30, 37] {
        let read = log.limited_get_log_entries(start, 41).await.unwrap();
        let expected = entries[start as usize - 1..].iter().take(read.len());
        assert!(read.iter().eq(expected) && read.len() >= 3, "{} entries from {start}", read.len());
        let bytes = encoded(&read);
        assert!(bytes <= READ_BYTES_MAX, "{bytes} bytes from entry {start}");
    }
    log.blocking_append([entry(41, 5 * MIB), entry(42, MIB)]).await.unwrap();
    let read = log.limited_get_log_entries(41, 43).await.unwrap();
    assert_eq!(read.len(), 1, "an entry beyond the limit comes alone");
    let all = log.try_get_log_entries(1..43).await.unwrap();
    assert_eq!(all.len(), 42, "what is applied is never cut short");
}

#[tokio::test]
async fn the_log_knows_its_size_also_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let mut log = open(&dir);
    let entries: Vec<Entry> = (1..=200).map(|index| entry(index, 10_000)).collect();
    let (whole, half) = (encoded(&entries) as u64, encoded(&entries[100..]) as u64);
    log.blocking_append(entries).await.unwrap();
    assert_eq!(log.bytes(), whole);
    log.purge(log_id(100)).await.unwrap();
    let near = |bytes: u64| bytes >= half && bytes < half + (80 << 10);
    assert!(near(log.bytes()) && near(log.bytes_behind(100)), "{} of {whole}", log.bytes());
    let first = log.first_within(whole / 4).unwrap();
    assert!((150..160).contains(&first), "{first}");
    let closed = log.open_token();
    drop(log);
    while closed.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    let log = open(&dir);
    assert_eq!(log.bytes(), half);
    assert_eq!(log.first_within(whole), None);
}
