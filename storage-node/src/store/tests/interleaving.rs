//! The concurrent core under many orders in which its threads may run: the commit group, the index while records move, the
//! accounts of space. The queue, the state, and `apply` are the real ones; the disk is a list.

mod primitives {
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
}

#[allow(clippy::duplicate_mod, dead_code, reason = "the same queue, over the primitives of the scheduler")]
#[path = "../queue.rs"]
mod queue;

use std::collections::{BTreeMap, BTreeSet};

use shuttle::sync::mpsc::{Receiver, Sender, channel};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

use self::queue::Queue;
use super::{content, shard};
use crate::format::{Place, RecordHeader};
use crate::store::index::{Entry, Known, Located, MayMove, Purpose, State};
use crate::store::log::sync::{Applied, apply};
use crate::store::requests::Change;
use cairn_core::shard::ShardId;

/// Orders that are tried in each test.
const ORDERS: usize = 1500;

/// A request to the log thread.
enum Request {
    Put { shard: ShardId, version: u32, reply: Sender<Applied> },
    Delete { shard: ShardId, reply: Sender<Applied> },
    Move { shard: ShardId, reply: Sender<Applied> },
}

/// A record that is written and not yet synced.
struct Written {
    header: RecordHeader,
    change: Change,
    reply: Sender<Applied>,
}

/// A record in the log, as replay finds it.
#[derive(Debug, Clone, Copy)]
enum Record {
    Shard(ShardId, Entry),
    Tombstone(ShardId),
}

struct Core {
    state: Mutex<State>,
    log: Queue<Request>,
    syncs: Queue<Written>,
    /// What reached the disk, by place. All of it survives a crash.
    disk: Mutex<BTreeMap<Place, Record>>,
}

fn known(state: &State, shard: ShardId) -> Option<Entry> {
    match state.known(shard) {
        Known::Present(entry) => Some(entry),
        Known::Absent | Known::AskDatabase => None,
    }
}

fn located(entry: Option<Entry>) -> Located {
    Located { entry, generation: 0 }
}

/// A shard record; the length of its descriptor is its version.
fn shard_header(shard: ShardId, version: u32) -> RecordHeader {
    let header = RecordHeader::of_shard(&content(shard, 700, 0).0, Place::default());
    RecordHeader { descriptor_bytes: version, ..header }
}

impl Core {
    fn new() -> Arc<Self> {
        let (state, disk) = (Mutex::new(State::default()), Mutex::default());
        let core = Self { state, log: Queue::new(64), syncs: Queue::new(usize::MAX), disk };
        core.state.lock().unwrap().begin_volume(1);
        Arc::new(core)
    }

    fn write(
        &self,
        header: RecordHeader,
        purpose: Purpose,
        change: impl FnOnce(&RecordHeader) -> (Change, Record),
    ) -> (RecordHeader, Change) {
        let place = self.state.lock().unwrap().reserve(header.record_bytes(), purpose);
        let header = RecordHeader { place, ..header };
        let (change, record) = change(&header);
        self.disk.lock().unwrap().insert(place, record);
        (header, change)
    }

    /// What the log thread does with a request.
    fn take(&self, request: Request) {
        let (written, reply) = match request {
            Request::Put { shard, version, reply } => {
                let earlier = known(&self.state.lock().unwrap(), shard);
                let header = shard_header(shard, version);
                let written = self.write(header, Purpose::Shard(shard), |header| {
                    let entry = Entry::of(header);
                    (Change::Put { shard, entry, earlier: located(earlier) }, Record::Shard(shard, entry))
                });
                (written, reply)
            }
            Request::Delete { shard, reply } => {
                let earlier = known(&self.state.lock().unwrap(), shard);
                let written = self.write(
                    RecordHeader::of_tombstone(48, Place::default()),
                    Purpose::Tombstone(vec![shard]),
                    |_| (Change::Delete { shards: vec![(shard, located(earlier))] }, Record::Tombstone(shard)),
                );
                (written, reply)
            }
            Request::Move { shard, reply } => {
                let Some(current) = known(&self.state.lock().unwrap(), shard) else { return };
                // Time passes between the two looks, as it does for the compaction thread.
                thread::yield_now();
                let allowed = {
                    let state = self.state.lock().unwrap();
                    state.may_move(shard, current.place, known(&state, shard))
                };
                if allowed != MayMove::Yes {
                    return;
                }
                let header = shard_header(shard, current.descriptor_bytes);
                let written = self.write(header, Purpose::Shard(shard), |header| {
                    let (entry, from) = (Entry::of(header), current.place);
                    (Change::Move { shard, entry, from, earlier: located(Some(current)) }, Record::Shard(shard, entry))
                });
                (written, reply)
            }
        };
        let (header, change) = written;
        assert!(self.syncs.push(Written { header, change, reply }).is_ok());
    }

    fn run_log(&self) {
        while let Some(request) = self.log.pop() {
            self.take(request);
        }
        self.syncs.close();
    }

    fn run_sync(&self) {
        let mut group = Vec::new();
        while self.syncs.drain(usize::MAX, &mut group) {
            for written in group.drain(..) {
                let current = |state: &State, shard, _| known(state, shard);
                let applied = apply(&mut self.state.lock().unwrap(), &written.header, &written.change, current);
                let _ = written.reply.send(applied);
            }
        }
    }

    fn ask(&self, request: impl FnOnce(Sender<Applied>) -> Request) -> Receiver<Applied> {
        let (reply, answer) = channel();
        assert!(self.log.push(request(reply)).is_ok());
        answer
    }

    /// Replaying the log from its beginning gives the same index as the threads have, and the accounts agree.
    fn check(&self, shards: &BTreeSet<ShardId>) {
        let live = self.state.lock().unwrap();
        let mut replayed = State::default();
        for (place, record) in self.disk.lock().unwrap().iter() {
            match *record {
                Record::Shard(shard, entry) => {
                    let current = known(&replayed, shard);
                    replayed.put(shard, entry, current);
                }
                Record::Tombstone(shard) => {
                    let current = known(&replayed, shard);
                    replayed.delete(*place, shard, current);
                }
            }
        }
        for shard in shards {
            assert_eq!(known(&live, *shard), known(&replayed, *shard), "{shard}");
        }
        let accounts = |state: &State| -> Vec<(u32, u64, u64)> {
            let volumes = state.volumes.iter().filter(|(_, volume)| volume.live_records > 0);
            volumes.map(|(number, volume)| (number, volume.live_records, volume.live_bytes)).collect()
        };
        assert_eq!((live.shards, accounts(&live)), (replayed.shards, accounts(&replayed)));
        assert_eq!(live.position(), live.tail, "everything is settled");
        assert!(shards.iter().all(|shard| !live.pending.is_busy(*shard)));
    }
}

/// What a client's thread does.
type Client = Box<dyn FnOnce(&Core) + Send>;

/// Runs the log and the sync thread beside `clients`, then compares.
fn run(shards: &BTreeSet<ShardId>, clients: Vec<Client>) {
    let core = Core::new();
    let service = [Core::run_log as fn(&Core), Core::run_sync].map(|body| {
        let core = Arc::clone(&core);
        thread::spawn(move || body(&core))
    });
    let clients: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let core = Arc::clone(&core);
            thread::spawn(move || client(&core))
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    core.log.close();
    for thread in service {
        thread.join().unwrap();
    }
    core.check(shards);
}

fn put(core: &Core, shard: ShardId, version: u32) -> Applied {
    core.ask(|reply| Request::Put { shard, version, reply }).recv().unwrap()
}

fn delete(core: &Core, shard: ShardId) {
    assert_eq!(core.ask(|reply| Request::Delete { shard, reply }).recv(), Ok(Applied::Done));
}

fn version_of(core: &Core, shard: ShardId) -> Option<u32> {
    known(&core.state.lock().unwrap(), shard).map(|entry| entry.descriptor_bytes)
}

fn movers(shard: ShardId, count: usize) -> Client {
    Box::new(move |core| {
        for _ in 0..count {
            let _ = core.ask(|reply| Request::Move { shard, reply }).recv();
        }
    })
}

#[test]
fn moves_never_undo_deletions_and_rewrites() {
    shuttle::check_random(
        || {
            let (a, b) = (shard(1), shard(2));
            let writer = Box::new(move |core: &Core| {
                assert_eq!(put(core, a, 1), Applied::Done);
                core.state.lock().unwrap().begin_volume(2);
                assert_eq!(put(core, a, 2), Applied::Done);
                assert_eq!(version_of(core, a), Some(2));
                delete(core, a);
                assert_eq!(version_of(core, a), None);
                assert_eq!(put(core, a, 3), Applied::Done);
                assert_eq!(version_of(core, a), Some(3));
            });
            let other = Box::new(move |core: &Core| {
                assert_eq!(put(core, b, 1), Applied::Done);
                delete(core, b);
                assert_eq!(version_of(core, b), None);
            });
            run(&BTreeSet::from([a, b]), vec![writer, other, movers(a, 3), movers(b, 2)]);
        },
        ORDERS,
    );
}

#[test]
fn writers_deleters_and_movers_of_one_shard_agree_with_the_log() {
    shuttle::check_random(
        || {
            let a = shard(1);
            let put_twice = Box::new(move |core: &Core| {
                put(core, a, 1);
                put(core, a, 2);
            });
            let delete_twice = Box::new(move |core: &Core| {
                delete(core, a);
                delete(core, a);
            });
            run(&BTreeSet::from([a]), vec![put_twice, delete_twice, movers(a, 2)]);
        },
        ORDERS,
    );
}

#[test]
fn a_group_is_acknowledged_only_by_a_sync_that_began_after_its_writes() {
    shuttle::check_random(
        || {
            let queue: Arc<Queue<(u64, Sender<u64>)>> = Arc::new(Queue::new(8));
            let written = Arc::new(Mutex::new(0_u64));
            let writers: Vec<_> = (0..3)
                .map(|_| {
                    let (queue, written) = (Arc::clone(&queue), Arc::clone(&written));
                    thread::spawn(move || {
                        for _ in 0..2 {
                            let mine = {
                                let mut written = written.lock().unwrap();
                                *written += 1;
                                *written
                            };
                            let (reply, answer) = channel();
                            assert!(queue.push((mine, reply)).is_ok());
                            let durable = answer.recv().unwrap();
                            assert!(durable >= mine, "write {mine} was acknowledged when {durable} were durable");
                        }
                    })
                })
                .collect();
            let syncer = thread::spawn({
                let (queue, written) = (Arc::clone(&queue), Arc::clone(&written));
                move || {
                    let mut group = Vec::new();
                    while queue.drain(usize::MAX, &mut group) {
                        let durable = *written.lock().unwrap();
                        for (_, reply) in group.drain(..) {
                            let _ = reply.send(durable);
                        }
                    }
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            queue.close();
            syncer.join().unwrap();
        },
        ORDERS,
    );
}

/// No order of pushes, blocking workers and the end leaves an item untaken or a worker asleep.
#[test]
fn every_item_is_worked_on_and_no_more_at_once_than_may_be() {
    const WORKING_MAX: u64 = 1;
    shuttle::check_random(
        || {
            let queue: Arc<Queue<(u64, Sender<u64>)>> = Arc::new(Queue::with_workers(8, WORKING_MAX as usize));
            let working = Arc::new(Mutex::new(0_u64));
            let workers: Vec<_> = (0..3)
                .map(|_| {
                    let (queue, working) = (Arc::clone(&queue), Arc::clone(&working));
                    thread::spawn(move || {
                        let mut worker = queue.worker();
                        while let Some((item, reply)) = worker.next() {
                            *working.lock().unwrap() += 1;
                            assert!(*working.lock().unwrap() <= WORKING_MAX);
                            thread::yield_now();
                            *working.lock().unwrap() -= 1;
                            if item % 2 == 0 {
                                worker.will_block();
                                thread::yield_now();
                            }
                            let _ = reply.send(item);
                        }
                    })
                })
                .collect();
            let callers: Vec<_> = (0..2)
                .map(|caller| {
                    let queue = Arc::clone(&queue);
                    thread::spawn(move || {
                        let answers = [2 * caller, 2 * caller + 1].map(|item| {
                            let (reply, answer) = channel();
                            assert!(queue.push((item, reply)).is_ok());
                            (item, answer)
                        });
                        for (item, answer) in answers {
                            assert_eq!(answer.recv().unwrap(), item);
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.join().unwrap();
            }
            queue.close();
            for worker in workers {
                worker.join().unwrap();
            }
        },
        ORDERS,
    );
}
