//! Power failures at any write, with any of the writes since the last sync lost or torn, also during the recovery
//! from the previous failure (I1, I3).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use cairn_core::id::MemberId;
use cairn_core::id::NodeId;
use cairn_core::name::BucketName;
use cairn_core::release::Release;
use cairn_core::testing::TestThreads;
use cairn_protocol::metadata::command::{CreateBucket, OpenSession};
use cairn_protocol::rpc::{CallTag, ClientId};
use openraft::{CommittedLeaderId, EntryPayload};
use proptest::prelude::*;
use redb::{Database, StorageBackend};

use super::log_store::LogStore;
use super::log_writer::{Write, write};
use super::machine::Machine;
use super::proposal::{Change, Proposal};
use super::snapshot;
use super::types::{Entry, LogId, Vote};
use crate::directory::is_unborn;
use crate::testing::TestClock;

/// Bytes that a disk writes atomically.
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone)]
enum Event {
    Write(usize, Vec<u8>),
    Length(usize),
    Sync,
}

/// A file in memory that records its writes and syncs. Clones are the same file.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// The initial contents.
    begun: Vec<u8>,
    current: Vec<u8>,
    events: Vec<Event>,
}

impl Disk {
    /// The file as found after a failure. If its creation was interrupted it is created again, as a member does.
    fn with(bytes: Vec<u8>) -> Self {
        let bytes = if is_unborn(&bytes) { Vec::new() } else { bytes };
        Self(Arc::new(Mutex::new(Inner { begun: bytes.clone(), current: bytes, events: Vec::new() })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn events(&self) -> usize {
        self.inner().events.len()
    }

    /// The file after a power failure at event `at`. Unsynced writes are kept, lost or torn, depending on `luck`.
    fn image(&self, at: usize, mut luck: u64) -> Vec<u8> {
        let inner = self.inner();
        let happened = &inner.events[..at.min(inner.events.len())];
        let synced = happened.iter().rposition(|event| matches!(event, Event::Sync)).map_or(0, |sync| sync + 1);
        let mut image = inner.begun.clone();
        for event in &happened[..synced] {
            lay(&mut image, event, None);
        }
        for event in &happened[synced..] {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match (luck >> 60) % 4 {
                0 | 1 => {}
                2 => lay(&mut image, event, None),
                _ => lay(&mut image, event, Some(luck)),
            }
        }
        image
    }
}

/// Applies an event to a file. Of a torn write only some sectors arrive.
fn lay(file: &mut Vec<u8>, event: &Event, torn: Option<u64>) {
    match event {
        Event::Sync => {}
        Event::Length(length) => file.resize(*length, 0),
        Event::Write(offset, bytes) => {
            if file.len() < offset + bytes.len() {
                file.resize(offset + bytes.len(), 0);
            }
            for (n, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                if torn.is_none_or(|luck| luck.rotate_left(n as u32 * 7) & 1 == 1) {
                    let start = offset + n * SECTOR_BYTES;
                    file[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.inner().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let (inner, offset) = (self.inner(), offset as usize);
        let bytes = inner.current.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut inner = self.inner();
        inner.current.resize(len as usize, 0);
        inner.events.push(Event::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.inner().events.push(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut inner = self.inner();
        let event = Event::Write(offset as usize, data.to_vec());
        lay(&mut inner.current, &event, None);
        inner.events.push(event);
        Ok(())
    }
}

fn open(disk: &Disk) -> Database {
    Database::builder().set_cache_size(1 << 20).create_with_backend(disk.clone()).unwrap()
}

fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(term, MemberId(1)), index)
}

fn entry(term: u64, index: u64) -> Entry {
    let name = BucketName::new(&format!("bucket-{index}")).unwrap();
    let open = OpenSession { gateway: NodeId::from_random([index as u8; 16]), release: Release::current(), name: None };
    let commands = vec![CreateBucket { name, region: String::new() }.into(), open.into()];
    // Every command comes twice: the second one must have no effect.
    let number = index / 2 + 1;
    let tag =
        |number| Some(CallTag { client: ClientId::from_bytes([7; 16]), number, settled: number, repeated: false });
    let change = Change::Batch(commands, Some(vec![None, tag(number)]));
    let payload = EntryPayload::Normal(Arc::new(Proposal { proposed_at_ms: index, change }));
    Entry { log_id: log_id(term, index), payload }
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Held {
    vote: Option<Vote>,
    purged: Option<LogId>,
    entries: Vec<LogId>,
}

impl Held {
    fn after(&self, change: &Write<'_>) -> Self {
        let mut next = self.clone();
        match change {
            Write::Append(entries) => next.entries.extend(entries.iter().map(|entry| entry.log_id)),
            Write::Vote(vote) => next.vote = Some(*vote),
            Write::Truncate(from) => next.entries.retain(|id| id.index < *from),
            Write::Purge(upto) => {
                next.purged = Some(*upto);
                next.entries.retain(|id| id.index > upto.index);
            }
        }
        next
    }
}

/// Opens the log as a member does, and returns its contents.
fn held(disk: &Disk) -> Held {
    let log = LogStore::on(open(disk), &TestThreads, &crate::space::testing::roomy()).unwrap();
    let entries = log.entries(0, u64::MAX).unwrap().into_iter().map(|entry| entry.log_id).collect();
    let (vote, purged) = (log.vote(), log.purged());
    let closed = log.open_token();
    drop(log);
    while closed.strong_count() > 0 {
        std::thread::yield_now();
    }
    Held { vote, purged, entries }
}

/// The file after a power failure at `at`, and after a second one during the recovery from it.
fn twice_failed(disk: &Disk, at: usize, luck: u64) -> Disk {
    let first = Disk::with(disk.image(at, luck));
    drop(open(&first));
    let during = luck as usize % (first.events() + 1);
    Disk::with(first.image(during, luck.rotate_left(17)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_keeps_what_it_acknowledged(luck: u64, points in proptest::collection::vec(any::<prop::sample::Index>(), 6)) {
        let disk = Disk::default();
        let batch: Vec<Entry> = (0..6).map(|index| entry(1, index)).collect();
        let next: Vec<Entry> = (4..9).map(|index| entry(2, index)).collect();
        let changes = [
            Write::Vote(Vote::new(1, MemberId(1))), Write::Append(&batch), Write::Vote(Vote::new_committed(1, MemberId(1))),
            Write::Truncate(4), Write::Vote(Vote::new(2, MemberId(1))), Write::Append(&next), Write::Purge(log_id(1, 2)),
        ];
        // The contents of the log, and from which event on it must have them.
        let mut states = vec![(Held::default(), 0)];
        {
            let database = open(&disk);
            for change in &changes {
                write(&database, change, None).unwrap();
                states.push((states.last().unwrap().0.after(change), disk.events()));
            }
        }
        for point in points {
            let at = point.index(disk.events() + 1);
            let acknowledged = states.iter().rposition(|(_, from)| *from <= at).unwrap();
            for failed in [Disk::with(disk.image(at, luck)), twice_failed(&disk, at, luck)] {
                let found = held(&failed);
                let allowed = &states[acknowledged..states.len().min(acknowledged + 2)];
                prop_assert!(
                    allowed.iter().any(|(state, _)| *state == found),
                    "after event {} of {}: {:?} is none of {:?}", at, disk.events(), found, allowed
                );
            }
        }
    }

    #[test]
    fn the_state_is_applied_again_to_the_same(luck: u64, points in proptest::collection::vec(any::<prop::sample::Index>(), 4)) {
        let entries: Vec<Entry> = (0..12).map(|index| entry(1, index)).collect();
        let disk = Disk::default();
        let mut synced = Vec::new();
        let machine = Machine::on(open(&disk), TestClock::frozen()).unwrap();
        for (n, one) in entries.iter().enumerate() {
            machine.apply(std::slice::from_ref(one)).unwrap();
            if n % 4 == 3 {
                machine.sync().unwrap();
                synced.push((disk.events(), n as u64));
            }
        }
        let whole = contents(&machine);
        drop(machine);
        for point in points {
            let at = point.index(disk.events() + 1);
            let floor = synced.iter().rev().find(|(from, _)| *from <= at).map(|(_, index)| *index);
            for failed in [Disk::with(disk.image(at, luck)), twice_failed(&disk, at, luck)] {
                let machine = Machine::on(open(&failed), TestClock::frozen()).unwrap();
                let applied = machine.applied().map(|id| id.index);
                prop_assert!(applied >= floor, "{:?} was synced, {:?} is there", floor, applied);
                let rest = applied.map_or(0, |index| index as usize + 1);
                machine.apply(&entries[rest..]).unwrap();
                prop_assert_eq!(&contents(&machine), &whole);
            }
        }
    }
}

fn contents(machine: &Machine) -> Vec<u8> {
    let view = machine.sync().unwrap();
    let (records, rest) = snapshot::chunk(&view, snapshot::Position::default()).unwrap();
    assert!(rest.is_none());
    records
}
