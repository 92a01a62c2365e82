//! Snapshots that arrive whole, in part, twice, or wrong.

use std::path::Path;
use std::sync::Arc;

use cairn_core::id::{GroupId, MemberId};
use openraft::CommittedLeaderId;
use redb::{Database, ReadableTableMetadata};
use tempfile::TempDir;

use super::*;
use crate::error::StoreError;
use crate::raft::LogId;
use crate::raft::codec::LogIdRow;
use crate::raft::machine::Machine;
use crate::space::Space;
use crate::space::testing::{Mount, roomy};
use crate::state::tables::{Tables, View, meta};
use crate::testing::TestClock;

const ROWS: u64 = 5_000;
const CACHE_BYTES: usize = 1 << 20;

fn reach(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(3, MemberId(1)), index)
}

/// A leader's state of several chunks, which reaches to entry `index`.
fn source(index: u64, group: GroupId) -> Arc<Database> {
    let backend = redb::backends::InMemoryBackend::new();
    let database = Arc::new(Database::builder().create_with_backend(backend).unwrap());
    let transaction = database.begin_write().unwrap();
    {
        let mut tables = Tables::open(&transaction).unwrap();
        for row in 0..ROWS {
            tables.buckets.insert(row.to_be_bytes().as_slice(), [index as u8; 700].as_slice()).unwrap();
            tables.counters.insert(format!("{row}").as_str(), row).unwrap();
        }
        meta::put(&mut tables.meta, meta::APPLIED, &LogIdRow::from(reach(index))).unwrap();
        meta::put(&mut tables.meta, meta::GROUP, &group).unwrap();
    }
    transaction.commit().unwrap();
    database
}

type Chunk = (Vec<u8>, bool, StreamHash);

/// What that leader sends.
fn stream(index: u64) -> Vec<Chunk> {
    stream_of(index, GroupId::FIRST)
}

fn stream_of(index: u64, group: GroupId) -> Vec<Chunk> {
    let database = source(index, group);
    let view = View::new(&database).unwrap();
    let (mut chunks, mut hash, mut position) = (Vec::new(), StreamHash::default(), Some(Position::default()));
    while let Some(from) = position {
        let (records, next) = chunk(&view, from).unwrap();
        hash = hash.after(&records, next.is_none());
        chunks.push((records, next.is_none(), hash));
        position = next;
    }
    assert!(chunks.len() > 3, "{} chunks", chunks.len());
    chunks
}

fn receive(machine: &Machine, chunks: &[Chunk]) -> Result<Incoming, StoreError> {
    let mut incoming = Incoming::begin(machine.incoming_file(), CACHE_BYTES, machine.space())?;
    for (records, is_last, hash) in chunks {
        incoming.take(records, *is_last, *hash)?;
    }
    Ok(incoming)
}

fn open(dir: &Path) -> Machine {
    let machine = Machine::open(&dir.join("state.redb"), true, CACHE_BYTES, TestClock::new(), &roomy()).unwrap();
    machine.complete_install(None).unwrap();
    machine
}

fn rows(machine: &Machine) -> u64 {
    machine.view().unwrap().buckets().unwrap().len().unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_transfer_that_starts_over_does_not_touch_the_file_that_is_installed() {
    let dir = TempDir::new().unwrap();
    let machine = open(dir.path());
    let chunks = stream(7);
    let whole = receive(&machine, &chunks).unwrap();
    // The answer to the last chunk was lost, and the leader has started over while the first file waits.
    let again = receive(&machine, &chunks[..2]).unwrap();
    machine.install(whole.finish().unwrap(), Some(reach(7))).unwrap();
    drop((machine, again));
    let machine = open(dir.path());
    assert_eq!((machine.applied(), rows(&machine)), (Some(reach(7)), ROWS));
    assert_eq!(files(dir.path()), ["state.redb"]);
}

#[test]
fn a_stream_that_is_changed_cut_or_mixed_with_another_is_refused() {
    let dir = TempDir::new().unwrap();
    let machine = open(dir.path());
    let (chunks, others) = (stream(7), stream(8));
    let refused = |chunks: &[Chunk], what: &str| {
        let received = receive(&machine, chunks).map(drop);
        assert!(matches!(received, Err(StoreError::Damaged { .. })), "{what}: {received:?}");
    };
    for (number, position) in [(0, 0), (1, 500), (chunks.len() - 1, 20)] {
        let mut flipped = chunks.clone();
        flipped[number].0[position] ^= 1;
        refused(&flipped, "a flipped bit");
    }
    let last = chunks.len() - 1;
    refused(&[&chunks[..1], &chunks[2..]].concat(), "a missing chunk");
    refused(&[&chunks[..2], &chunks[1..]].concat(), "a chunk taken twice");
    refused(&[&chunks[..1], &chunks[2..3], &chunks[1..2]].concat(), "another order");
    refused(&[&chunks[..2], &others[2..]].concat(), "another stream's chunks");
    refused(&[&chunks[..last], &[(chunks[last].0.clone(), false, chunks[last].2)]].concat(), "no end");
    assert_eq!((machine.applied(), rows(&machine)), (None, 0));
    assert_eq!(files(dir.path()), ["state.redb"], "nothing is left of them");
}

#[test]
fn a_part_of_a_state_never_says_how_far_it_reaches() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("part.redb");
    let mut loader = Loader::create(&path, CACHE_BYTES, &roomy()).unwrap();
    for (records, _, _) in stream(7) {
        loader.load(&records).unwrap();
    }
    drop(loader);
    let part = Database::open(&path).unwrap();
    let applied: Option<LogIdRow> = meta::get(&View::new(&part).unwrap().meta().unwrap(), meta::APPLIED).unwrap();
    assert!(applied.is_none());
}

#[test]
fn a_record_that_comes_twice_is_noticed_at_the_end() {
    let dir = TempDir::new().unwrap();
    let chunks = stream(7);
    let mut loader = Loader::create(&dir.path().join("state.redb"), CACHE_BYTES, &roomy()).unwrap();
    for (records, _, _) in chunks.iter().chain(&chunks[..1]) {
        loader.load(records).unwrap();
    }
    assert!(matches!(loader.finish(), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_state_that_reaches_elsewhere_leaves_the_old_one_in_place() {
    let dir = TempDir::new().unwrap();
    let machine = open(dir.path());
    let old = receive(&machine, &stream(7)).unwrap().finish().unwrap();
    machine.install(old, Some(reach(7))).unwrap();
    let other = receive(&machine, &stream(8)).unwrap().finish().unwrap();
    assert!(matches!(machine.install(other, Some(reach(9))), Err(StoreError::Damaged { .. })));
    assert_eq!(machine.applied(), Some(reach(7)));
    drop(machine);
    let machine = open(dir.path());
    assert_eq!((machine.applied(), rows(&machine)), (Some(reach(7)), ROWS));
    assert_eq!(files(dir.path()), ["state.redb"]);
}

#[test]
fn what_a_crash_leaves_of_a_transfer_is_removed_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    let machine = open(dir.path());
    let whole = receive(&machine, &stream(7)).unwrap().finish().unwrap();
    let part = receive(&machine, &stream(7)[..2]).unwrap();
    assert_eq!(files(dir.path()).len(), 3);
    // As a crash does, nothing cleans up.
    std::mem::forget((whole, part));
    drop(machine);
    let machine = open(dir.path());
    assert_eq!(machine.applied(), None);
    assert_eq!(files(dir.path()), ["state.redb"]);
}

#[test]
fn the_state_of_another_group_is_not_installed() {
    let dir = TempDir::new().unwrap();
    let machine = open(dir.path());
    let other = receive(&machine, &stream_of(7, GroupId::new(3).unwrap())).unwrap().finish().unwrap();
    let refused = machine.install(other, Some(reach(7))).unwrap_err().to_string();
    assert!(refused.contains("is of group 3"), "{refused}");
    assert_eq!(machine.applied(), None);
}

/// A member with the state of [`source`], which reaches to entry 7.
fn sender(dir: &Path, space: &Arc<Space>) -> Machine {
    let machine = Machine::open(&dir.join("state.redb"), true, CACHE_BYTES, TestClock::new(), space).unwrap();
    let whole = receive(&machine, &stream(7)).unwrap().finish().unwrap();
    machine.install(whole, Some(reach(7))).unwrap();
    machine
}

fn copy(machine: &Machine, wanted: &Arc<()>) -> Result<SpooledSnapshot, StoreError> {
    let live = LiveState { view: machine.view().unwrap(), spools: Arc::clone(machine.outgoing()) };
    SpooledSnapshot::copy(live, Arc::downgrade(wanted))
}

#[test]
fn a_snapshot_is_sent_from_a_file_as_it_is_from_the_state() {
    let (dir, wanted) = (TempDir::new().unwrap(), Arc::new(()));
    let machine = sender(dir.path(), &roomy());
    let copied = copy(&machine, &wanted).unwrap();
    assert_eq!(files(dir.path()).len(), 2);
    let sent = (0..copied.len()).map(|number| copied.chunk(number).unwrap());
    let sent: Vec<Chunk> = sent.map(|chunk| (chunk.records, chunk.is_last, chunk.hash)).collect();
    assert_eq!(sent, stream(7));
    let target = TempDir::new().unwrap();
    let received = open(target.path());
    received.install(receive(&received, &sent).unwrap().finish().unwrap(), Some(reach(7))).unwrap();
    assert_eq!((received.applied(), rows(&received)), (Some(reach(7)), ROWS));
    drop(copied);
    assert_eq!(files(dir.path()), ["state.redb"]);
}

#[test]
fn a_copy_is_given_up_when_nobody_waits_for_it_and_their_number_is_bounded() {
    let (dir, wanted) = (TempDir::new().unwrap(), Arc::new(()));
    let machine = sender(dir.path(), &roomy());
    assert!(matches!(copy(&machine, &Arc::new(())).map(drop), Ok(())), "it is wanted as long as it is made");
    let unwanted = Arc::new(());
    let asked = Arc::downgrade(&unwanted);
    drop(unwanted);
    let live = LiveState { view: machine.view().unwrap(), spools: Arc::clone(machine.outgoing()) };
    assert!(matches!(SpooledSnapshot::copy(live, asked).map(drop), Err(StoreError::Unwanted)));
    assert_eq!(files(dir.path()), ["state.redb"]);
    let mut held: Vec<_> = (0..4).map(|_| copy(&machine, &wanted).unwrap()).collect();
    assert!(matches!(copy(&machine, &wanted).map(drop), Err(StoreError::TooManyCopies { max: 4 })));
    held.pop();
    copy(&machine, &wanted).unwrap();
    std::mem::forget(held);
    drop(machine);
    open(dir.path());
    assert_eq!(files(dir.path()), ["state.redb"], "what a crash leaves is removed at the next start");
}

#[test]
fn a_copy_whose_file_was_changed_is_not_sent() {
    let (dir, wanted) = (TempDir::new().unwrap(), Arc::new(()));
    let machine = sender(dir.path(), &roomy());
    let copied = copy(&machine, &wanted).unwrap();
    let name = files(dir.path()).into_iter().find(|name| name.contains("outgoing")).unwrap();
    let file = std::fs::File::options().write(true).open(dir.path().join(name)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"?", (1 << 20) + 5000).unwrap();
    assert!(copied.chunk(0).is_ok());
    assert!(matches!(copied.chunk(1).map(drop), Err(StoreError::File { .. })));
    assert!(copied.chunk(2).is_ok());
}

/// I21: neither making a copy nor keeping it touches the reserve.
#[test]
fn a_copy_leaves_the_reserve_alone_and_gives_way() {
    const RESERVE_BYTES: u64 = 4 << 20;
    let (dir, wanted) = (TempDir::new().unwrap(), Arc::new(()));
    let Some(mount) = Mount::over(dir.path(), 64 << 20) else { return };
    let space = Space::of(dir.path(), RESERVE_BYTES);
    let machine = sender(dir.path(), &space);
    let before = files(dir.path());
    mount.fill(RESERVE_BYTES + (3 << 19));
    assert!(matches!(copy(&machine, &wanted).map(drop), Err(StoreError::NoRoom(_))), "it has more than 1.5 MiB");
    assert_eq!(files(dir.path()).len(), before.len() + 1, "the filler alone is new");
    mount.empty();
    let copied = copy(&machine, &wanted).unwrap();
    assert!(copied.chunk(0).is_ok());
    mount.fill(RESERVE_BYTES / 2);
    assert!(matches!(copied.chunk(0).map(drop), Err(StoreError::NoRoom(_))));
    drop(copied);
    assert_eq!(files(dir.path()).len(), before.len() + 1);
}
